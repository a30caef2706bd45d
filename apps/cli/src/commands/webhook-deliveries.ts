import type { Command } from 'commander';
import { setTimeout as pause } from 'node:timers/promises';
import { pathOf, type AdminApi, type Document } from '../admin-api';
import { EXIT, misuse } from '../failure';
import { whole } from '../flags';
import { counted, inline } from '../output/printable';
import { table } from '../output/table';
import type { Session } from '../session';

export const WEBHOOK = ['<webhook>', 'id of the webhook'] as const;

const LOOK_MS = 200;
/** An attempt takes up to ten seconds, and somebody has to come to it. */
const PATIENCE_MS = 20_000;

/** `gatehouse webhook deliveries`, `test` and `replay` */
export function addDeliveryCommands(webhook: Command, session: Session): void {
  addList(webhook, session);
  addTest(webhook, session);
  addReplay(webhook, session);
}

function addList(webhook: Command, session: Session): void {
  webhook
    .command('deliveries')
    .description('list what is on its way to a webhook, oldest first')
    .argument(...WEBHOOK)
    .option('--dead', 'what was given up')
    .option('--limit <n>', 'at most so many; absent: all', whole(1))
    .action(async (id: string, { dead, limit }: { dead?: boolean; limit?: number }, command: Command) => {
      const { api, output } = session.open(command);
      const found = await deliveriesOf(api, id, dead ? 'dead' : 'pending', limit);
      output.list(found, 'deliveries', () =>
        table(found, [
          ['ID', (one) => one.id],
          ['EVENT', ({ event }) => event],
          ['TENANT', ({ tenantId }) => tenantId],
          ['CREATED', ({ createdAt }) => createdAt],
          ['ATTEMPTS', ({ attempts }) => attempts],
          ['NEXT', ({ nextAttemptAt }) => nextAttemptAt],
          ['LAST ANSWER', ({ lastStatus, lastError }) => lastStatus ?? lastError],
        ]),
      );
    });
}

function addTest(webhook: Command, session: Session): void {
  webhook
    .command('test')
    .description('send an event that says nothing, and say what becomes of it')
    .argument(...WEBHOOK)
    .option('--no-wait', 'do not wait for the first attempt')
    .action(async (id: string, { wait }: { wait: boolean }, command: Command) => {
      const { api, output } = session.open(command);
      const { body: sent } = await api.call('POST', pathOf`/admin/webhooks/${id}/test`);
      const deliveryId = String(sent.id);
      if (!wait) {
        output.result(sent, () => `queued ${deliveryId}`);
        return;
      }
      const { outcome, delivery } = await outcomeOf(api, id, deliveryId);
      const { lastStatus, lastError } = delivery ?? {};
      output.result({ ...sent, ...delivery, outcome }, () =>
        outcome === 'delivered' ? `delivered ${deliveryId}` : '',
      );
      if (outcome === 'delivered') return;
      session.exitCode = EXIT.refused;
      output.note(
        outcome === 'failed'
          ? `not delivered: ${lastStatus === undefined ? inline(lastError) : `answered with ${inline(lastStatus)}`}`
          : `not attempted within ${PATIENCE_MS / 1000} s: are there many deliveries before it?`,
      );
    });
}

function addReplay(webhook: Command, session: Session): void {
  webhook
    .command('replay')
    .description('send again what was given up')
    .argument(...WEBHOOK)
    .argument('[delivery]', 'id of the delivery')
    .option('--all', 'everything that was given up')
    .action(
      async (id: string, delivery: string | undefined, { all }: { all?: boolean }, command: Command) => {
        const { api, output } = session.open(command);
        if ((delivery === undefined) !== Boolean(all)) throw misuse('say which delivery, or --all');
        const ids =
          delivery === undefined
            ? (await deliveriesOf(api, id, 'dead')).map((one) => String(one.id))
            : [delivery];
        for (const one of ids) await api.call('POST', pathOf`/admin/webhooks/${id}/deliveries/${one}/replay`);
        output.result({ replayed: ids }, () => `${counted(ids.length, 'event')} on the way again`);
      },
    );
}

function deliveriesOf(
  api: AdminApi,
  id: string,
  state: 'pending' | 'dead',
  limit?: number,
): Promise<Document[]> {
  return api.list(pathOf`/admin/webhooks/${id}/deliveries`, 'deliveries', { state }, limit);
}

/** What became of a delivery at its first attempt: one that has arrived is nowhere any more. */
async function outcomeOf(
  api: AdminApi,
  id: string,
  deliveryId: string,
): Promise<{ outcome: 'delivered' | 'failed' | 'waiting'; delivery?: Document }> {
  for (const deadline = Date.now() + PATIENCE_MS; ; await pause(LOOK_MS)) {
    const named = (one: Document): boolean => one.id === deliveryId;
    const pending = (await deliveriesOf(api, id, 'pending')).find(named);
    // Only when it is not on its way any more, for it goes from there to here.
    const delivery = pending ?? (await deliveriesOf(api, id, 'dead')).find(named);
    if (!delivery) return { outcome: 'delivered' };
    const attempted = delivery.lastStatus !== undefined || delivery.lastError !== undefined;
    if (!pending || attempted) return { outcome: 'failed', delivery };
    if (Date.now() > deadline) return { outcome: 'waiting', delivery };
  }
}
