import { GatewayError } from '#libs/errors';
import type { Logger } from '#libs/logging';
import { keys, versionOf, type RecentBoard, type Store } from '#libs/store';
import { sortableId } from '#libs/tenants';
import { wants, type GatewayEvent, type Webhook } from './webhook';
import type { Webhooks } from './webhooks';

/** An event on its way to one webhook, given up, or lately arrived there. */
export interface Delivery {
  /** `webhook-id`: the same whenever it is sent again. */
  readonly id: string;
  readonly webhookId: string;
  readonly event: GatewayEvent;
  /** ISO 8601; when it happened. */
  readonly createdAt: string;
  readonly state: 'pending' | 'dead' | 'delivered';
  readonly attempts: number;
  /** When it is its turn, milliseconds since the epoch; since when its time counts. */
  readonly nextAt: number;
  readonly since: number;
  readonly lastStatus?: number;
  readonly lastError?: string;
  /** ISO 8601; when it was answered with 2xx. */
  readonly deliveredAt?: string;
}

/** What nobody takes must not fill the store: what comes then is in the log only. */
const MAX_PENDING = 10_000;
/** Of them, those of one webhook: one whose receiver is dead must not keep the others from theirs. */
const SHARE_OF_ONE = 10;
/** Of one webhook; the oldest go first. */
const MAX_DEAD = 1000;
/** How long one replica has for an attempt; after that another one takes it over. */
const LEASE_MS = 60_000;
const TIME_DIGITS = 13;
const PAGE = 100;
/** What has arrived is worth a look for three days, and so many of one webhook. */
const ARRIVED: RecentBoard = { key: keys.WEBHOOKS_ARRIVED, max: 10_000, ms: 3 * 86_400_000 };
const MAX_ARRIVED = 100;

/** Events in the store, until they are delivered: a crash loses none. One replica at a time has a delivery. */
export class WebhookQueue {
  /** Events that wait, as seen when somebody last looked; of more than a page, a page. */
  waiting = 0;

  /** @param unqueued called for every event that is in the log only. */
  constructor(
    private readonly store: Store,
    private readonly webhooks: Webhooks,
    private readonly logger: Pick<Logger, 'error'>,
    private readonly maxPending = MAX_PENDING,
    private readonly unqueued: () => void = () => undefined,
  ) {}

  /** Puts an event into the queue of everybody who wants it. Never rejects: what cannot be queued is logged. */
  async emit(event: GatewayEvent): Promise<void> {
    try {
      for (const webhook of await this.webhooks.all())
        if (wants(webhook, event)) await this.offer(webhook, event);
    } catch (error) {
      this.lose(event, error);
    }
  }

  /**
   * The same for a state that is to be told once, by whichever replica comes first.
   * @param what names the thing. @param state another one than the last that was told.
   * @param isNews whether it is worth telling after that one; absent: any other is.
   */
  async emitOnce(
    what: string,
    state: string,
    event: GatewayEvent,
    isNews: (told: string) => boolean = () => true,
  ): Promise<void> {
    try {
      const key = keys.webhookSeen(what);
      const before = await this.store.documents.get(key);
      if (before !== undefined && (before === state || !isNews(before))) return;
      const expected = before === undefined ? 'absent' : { version: versionOf(before) };
      if (!(await this.store.documents.put(key, state, expected))) return;
    } catch (error) {
      this.lose(event, error);
      return;
    }
    await this.emit(event);
  }

  /** One that takes no more does not stand in the way of those behind it. */
  private async offer(webhook: Webhook, event: GatewayEvent): Promise<void> {
    try {
      await this.add(webhook, event);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.unqueued();
      this.logger.error(
        { category: 'admin', err: error, event, webhookId: webhook.id },
        'an event could not be queued for a webhook',
      );
    }
  }

  /** @throws GatewayError conflict where the queue is full, or its part for one webhook */
  async add(webhook: Webhook, event: GatewayEvent): Promise<Delivery> {
    const { documents } = this.store;
    const [all, own] = await Promise.all([
      documents.indexSize(keys.WEBHOOK_DUE),
      documents.indexSize(keys.webhookPending(webhook.id)),
    ]);
    if (all >= this.maxPending || own >= this.maxPending / SHARE_OF_ONE)
      throw new GatewayError('conflict', 'too many events are waiting to be delivered');
    const now = Date.now();
    const delivery: Delivery = {
      id: `evt_${sortableId(now)}`,
      webhookId: webhook.id,
      event,
      createdAt: new Date(now).toISOString(),
      state: 'pending',
      attempts: 0,
      nextAt: now,
      since: now,
    };
    await this.enter(delivery);
    await documents.put(keys.webhookDelivery(delivery.id), JSON.stringify(delivery), 'absent');
    return delivery;
  }

  /** Takes up to `limit` deliveries whose turn it is; nobody else gets them until the lease is over. */
  async claim(limit: number, now = Date.now()): Promise<Delivery[]> {
    const { documents } = this.store;
    const claimed: Delivery[] = [];
    const members = await documents.indexPage(keys.WEBHOOK_DUE, '', PAGE);
    this.waiting = members.length;
    for (const member of members) {
      const turn = Number(member.slice(0, TIME_DIGITS));
      if (claimed.length === limit || turn > now) break;
      const delivery = await this.find(member.slice(TIME_DIGITS + 1));
      if (!delivery || delivery.state !== 'pending' || memberOf(delivery) !== member) {
        // Left behind by a crash: it is delivered, or has another turn. A young one is still being written.
        if (now - turn > LEASE_MS) await documents.indexRemove(keys.WEBHOOK_DUE, member);
        continue;
      }
      const taken = { ...delivery, attempts: delivery.attempts + 1, nextAt: now + LEASE_MS };
      if (await this.replace(delivery, taken)) claimed.push(taken);
    }
    return claimed;
  }

  /** @param lastStatus of the answer; undefined where there was nobody to send it to. */
  async delivered(delivery: Delivery, lastStatus?: number): Promise<void> {
    await this.leave(delivery);
    await this.store.documents.delete(keys.webhookDelivery(delivery.id), 'any');
    if (lastStatus !== undefined) await this.remember({ ...delivery, lastStatus });
  }

  /** Not being able to is no reason to send it again. */
  private async remember({ lastError: _, ...delivery }: Delivery): Promise<void> {
    const arrived: Delivery = { ...delivery, state: 'delivered', deliveredAt: new Date().toISOString() };
    const entry = { id: delivery.id, group: delivery.webhookId, text: JSON.stringify(arrived) };
    await this.store.recents.add(ARRIVED, [entry], () => MAX_ARRIVED).catch(() => undefined);
  }

  /** Gives it another turn. */
  async postpone(delivery: Delivery, nextAt: number, outcome: Partial<Delivery>): Promise<void> {
    await this.replace(delivery, { ...delivery, ...outcome, nextAt });
  }

  /** Puts it aside; somebody may send it again by hand. */
  async giveUp(delivery: Delivery, outcome: Partial<Delivery>): Promise<void> {
    const { documents } = this.store;
    const index = keys.webhookDead(delivery.webhookId);
    await documents.indexAdd(index, delivery.id);
    const dead = { ...delivery, ...outcome, state: 'dead' as const };
    await documents.put(keys.webhookDelivery(delivery.id), JSON.stringify(dead), 'any');
    await this.leave(delivery);
    for (let excess = (await documents.indexSize(index)) - MAX_DEAD; excess > 0; excess--) {
      const [oldest = ''] = await documents.indexPage(index, '', 1);
      await documents.delete(keys.webhookDelivery(oldest), 'any');
      await documents.indexRemove(index, oldest);
    }
  }

  /** Up to `limit` deliveries of one webhook after the one named `after`: the oldest first, of what has arrived the newest. */
  async list(
    webhookId: string,
    state: Delivery['state'],
    after: string,
    limit: number,
  ): Promise<{ deliveries: Delivery[]; next?: string }> {
    if (state === 'delivered') return this.arrived(webhookId, after, limit);
    const index = state === 'dead' ? keys.webhookDead(webhookId) : keys.webhookPending(webhookId);
    const ids = await this.store.documents.indexPage(index, after, limit + 1);
    const found = await Promise.all(ids.slice(0, limit).map((id) => this.find(id)));
    const deliveries = found.filter((one) => one?.state === state) as Delivery[];
    return { deliveries, next: ids.length > limit ? ids[limit - 1] : undefined };
  }

  private async arrived(
    webhookId: string,
    before: string,
    limit: number,
  ): Promise<{ deliveries: Delivery[]; next?: string }> {
    const found = await this.store.recents.page(ARRIVED, webhookId, before, limit + 1);
    const page = found.slice(0, limit);
    const deliveries = page.map(({ text }) => JSON.parse(text) as Delivery);
    return { deliveries, next: found.length > limit ? page.at(-1)?.id : undefined };
  }

  /** Sends one again that was given up. @throws GatewayError delivery_not_found */
  async replay(webhookId: string, id: string): Promise<Delivery> {
    const dead = await this.find(id);
    if (dead?.webhookId !== webhookId || dead.state !== 'dead') throw new GatewayError('delivery_not_found');
    const now = Date.now();
    const again: Delivery = { ...dead, state: 'pending', attempts: 0, nextAt: now, since: now };
    await this.enter(again);
    await this.store.documents.put(keys.webhookDelivery(id), JSON.stringify(again), 'any');
    await this.store.documents.indexRemove(keys.webhookDead(webhookId), id);
    return again;
  }

  /** Forgets what was on its way to a webhook that is gone. */
  async drop(webhookId: string): Promise<void> {
    for (const index of [keys.webhookPending(webhookId), keys.webhookDead(webhookId)]) {
      const { documents } = this.store;
      for (let ids = await documents.indexPage(index, '', PAGE); ids.length > 0;) {
        await Promise.all(ids.map((id) => this.remove(id)));
        ids = await documents.indexPage(index, ids.at(-1) ?? '', PAGE);
      }
      await documents.indexDrop(index);
    }
  }

  private lose(event: GatewayEvent, error: unknown): void {
    this.unqueued();
    this.logger.error(
      { category: 'admin', err: error, event },
      'an event could not be queued for its webhooks',
    );
  }

  private async remove(id: string): Promise<void> {
    const delivery = await this.find(id);
    if (delivery) await this.store.documents.indexRemove(keys.WEBHOOK_DUE, memberOf(delivery));
    await this.store.documents.delete(keys.webhookDelivery(id), 'any');
  }

  private async find(id: string): Promise<Delivery | undefined> {
    if (!/^evt_[a-z0-9]{1,40}$/.test(id)) return undefined;
    const text = await this.store.documents.get(keys.webhookDelivery(id));
    return text === undefined ? undefined : (JSON.parse(text) as Delivery);
  }

  /** The place for its next turn comes first: whatever interrupts this, it is found again. */
  private async replace(before: Delivery, after: Delivery): Promise<boolean> {
    const { documents } = this.store;
    await documents.indexAdd(keys.WEBHOOK_DUE, memberOf(after));
    const expected = { version: versionOf(JSON.stringify(before)) };
    const done = await documents.put(keys.webhookDelivery(after.id), JSON.stringify(after), expected);
    const stale = done ? before : after;
    if (memberOf(before) !== memberOf(after)) await documents.indexRemove(keys.WEBHOOK_DUE, memberOf(stale));
    return done;
  }

  private async enter(delivery: Delivery): Promise<void> {
    await this.store.documents.indexAdd(keys.WEBHOOK_DUE, memberOf(delivery));
    await this.store.documents.indexAdd(keys.webhookPending(delivery.webhookId), delivery.id);
  }

  private async leave(delivery: Delivery): Promise<void> {
    await this.store.documents.indexRemove(keys.WEBHOOK_DUE, memberOf(delivery));
    await this.store.documents.indexRemove(keys.webhookPending(delivery.webhookId), delivery.id);
  }
}

function memberOf({ nextAt, id }: Delivery): string {
  return `${String(nextAt).padStart(TIME_DIGITS, '0')}:${id}`;
}
