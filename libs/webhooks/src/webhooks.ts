import { randomBytes } from 'node:crypto';
import { GatewayError, type FieldProblem } from '#libs/errors';
import { keys, versionOf, type Store } from '#libs/store';
import { requireTenant, sortableId, type AddressPolicy } from '#libs/tenants';
import { SECRET_PREFIX } from './signed-headers';
import type { Webhook, WebhookEventName } from './webhook';

/** What whoever makes one says about it. */
export interface NewWebhook {
  readonly tenantId?: string;
  readonly url: string;
  readonly events?: readonly WebhookEventName[];
  readonly description?: string;
  readonly enabled?: boolean;
}

export type WebhookPatch = Partial<Omit<NewWebhook, 'tenantId'>>;

/** Each is looked at for every event. */
const MAX_WEBHOOKS = 200;
const SECRET_BYTES = 32;
const MAX_ROUNDS = 200;

/** Where events are sent to. */
export class Webhooks {
  /** @param addresses where URLs may point to. */
  constructor(
    private readonly store: Store,
    private readonly addresses: AddressPolicy,
  ) {}

  /**
   * The secret is returned here and never again.
   * @throws GatewayError tenant_not_found, validation_failed, or conflict where there are too many
   */
  async create(fields: NewWebhook): Promise<{ webhook: Webhook; secret: string }> {
    const { tenantId, url, events = [], description, enabled = true } = fields;
    this.refuseUrl(url);
    if (tenantId !== undefined) await requireTenant(this.store, tenantId);
    if ((await this.store.documents.indexSize(keys.WEBHOOK_INDEX)) >= MAX_WEBHOOKS)
      throw new GatewayError('conflict', `there are ${MAX_WEBHOOKS} webhooks: remove some first`);
    const secret = newSecret();
    const createdAt = new Date().toISOString();
    const id = sortableId();
    const webhook = { id, tenantId, url, events, description, enabled, createdAt, secrets: [{ secret }] };
    await this.store.documents.indexAdd(keys.WEBHOOK_INDEX, id);
    await this.store.documents.put(keys.webhook(id), JSON.stringify(webhook), 'absent');
    return { webhook, secret };
  }

  async all(): Promise<Webhook[]> {
    const ids = await this.store.documents.indexPage(keys.WEBHOOK_INDEX, '', MAX_WEBHOOKS);
    const found = await Promise.all(ids.map((id) => this.find(id)));
    return found.filter((webhook) => webhook !== undefined);
  }

  async find(id: string): Promise<Webhook | undefined> {
    if (!/^[a-z0-9]{1,40}$/.test(id)) return undefined;
    const text = await this.store.documents.get(keys.webhook(id));
    return text === undefined ? undefined : (JSON.parse(text) as Webhook);
  }

  /** @throws GatewayError webhook_not_found */
  async get(id: string): Promise<Webhook> {
    const webhook = await this.find(id);
    if (!webhook) throw new GatewayError('webhook_not_found');
    return webhook;
  }

  /** @throws GatewayError webhook_not_found or validation_failed */
  update(id: string, patch: WebhookPatch): Promise<Webhook> {
    if (patch.url !== undefined) this.refuseUrl(patch.url);
    const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
    return this.change(id, (webhook) => ({ ...webhook, ...given }));
  }

  /** @throws GatewayError webhook_not_found */
  async rotateSecret(id: string, graceSeconds: number): Promise<{ webhook: Webhook; secret: string }> {
    const secret = newSecret();
    const until = new Date(Date.now() + graceSeconds * 1000).toISOString();
    const webhook = await this.change(id, (before) => {
      const [latest] = before.secrets;
      return { ...before, secrets: [{ secret }, ...(latest ? [{ secret: latest.secret, until }] : [])] };
    });
    return { webhook, secret };
  }

  /** @throws GatewayError webhook_not_found */
  async remove(id: string): Promise<void> {
    await this.get(id);
    await this.store.documents.delete(keys.webhook(id), 'any');
    await this.store.documents.indexRemove(keys.WEBHOOK_INDEX, id);
  }

  /** Ends those of a tenant: the next one of that id must not have them. */
  async revokeAllBefore(tenantId: string, time: number): Promise<void> {
    for (const webhook of await this.all())
      if (webhook.tenantId === tenantId && !(Date.parse(webhook.createdAt) > time))
        await this.remove(webhook.id);
  }

  private async change(id: string, change: (webhook: Webhook) => Webhook): Promise<Webhook> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = await this.get(id);
      const changed = change(before);
      const expected = { version: versionOf(JSON.stringify(before)) };
      if (await this.store.documents.put(keys.webhook(id), JSON.stringify(changed), expected)) return changed;
    }
    throw new GatewayError('conflict', 'others kept changing the webhook at the same time');
  }

  /** @throws GatewayError validation_failed */
  private refuseUrl(text: string): void {
    const message = this.objectionTo(text);
    if (message === undefined) return;
    const fields: FieldProblem[] = [{ field: 'url', message }];
    throw new GatewayError('validation_failed', undefined, { fields });
  }

  private objectionTo(text: string): string | undefined {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url || !['http:', 'https:'].includes(url.protocol)) return 'must be a URL with http or https';
    if (url.username !== '' || url.password !== '') return 'must not contain a user or a password';
    return this.addresses.objectionToHost(url.hostname);
  }
}

function newSecret(): string {
  return SECRET_PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}
