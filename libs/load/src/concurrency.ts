import type { Account, LoadLimits } from './account';
import { FairSlots, type FairSlotsTerms } from './fair-slots';
import { StreamPlaces } from './stream-places';
import { Waiter, type ShedReason, type Verdict } from './waiter';

export interface ConcurrencySettings extends FairSlotsTerms {
  /** Event streams and WebSockets open in this process; Infinity for any number. */
  readonly maxStreams: number;
  /** The limit changes while the process runs, so requests are counted also where there is none yet. */
  readonly governed: boolean;
}

/** Who asks: a tenant, or a service. */
export interface Occupant extends Pick<LoadLimits, 'maxConcurrency'> {
  readonly id: string;
}

/** Requests of one service under way. */
export interface ServiceLoad {
  readonly id: string;
  inflight: number;
}

/** Where a request keeps what it has taken; each is undefined where it has nothing. */
export interface SlotHolder {
  slot: Account | Waiter | undefined;
  serviceSlot: ServiceLoad | undefined;
  streamPlace: Account | undefined;
}

/**
 * How many requests may be under way: of the process, of a tenant, of a service. Event streams and WebSockets, which may be
 * open for hours and mostly do nothing, hold no slot but a place of their own. An event stream is known by its response
 * only: where no place is left for it, it keeps its slot.
 */
export class Concurrency {
  readonly slots: FairSlots;
  readonly streams: StreamPlaces;
  private readonly services = new Map<string, ServiceLoad>();
  private readonly counts: boolean;

  constructor(settings: ConcurrencySettings) {
    this.slots = new FairSlots(settings);
    this.streams = new StreamPlaces(settings.maxStreams);
    this.counts = settings.governed || settings.limit !== Infinity;
  }

  /**
   * Takes what a request needs, for `leave` to give back. A wait ends with the same answers.
   * @param now monotonic milliseconds.
   */
  enter(
    holder: SlotHolder,
    tenant: Occupant,
    service: Occupant | undefined,
    now: number,
  ): true | ShedReason | Promise<Verdict> {
    if (service?.maxConcurrency !== undefined && !this.enterService(holder, service, service.maxConcurrency))
      return 'service_full';
    if (!this.counts && tenant.maxConcurrency === undefined) return true;
    const account = this.slots.account(tenant.id, now);
    account.maxConcurrency = tenant.maxConcurrency;
    const entry = this.slots.enter(account);
    if (typeof entry === 'string') return entry;
    holder.slot = entry === true ? account : entry;
    return entry === true ? true : entry.promise;
  }

  /** For what is known to be a stream before it begins, such as a WebSocket. */
  enterStream(
    holder: SlotHolder,
    tenant: { readonly id: string } & Pick<LoadLimits, 'maxStreams'>,
    now: number,
  ): true | ShedReason {
    if (!this.streams.bounded && tenant.maxStreams === undefined) return true;
    const account = this.slots.account(tenant.id, now);
    if (!this.streams.take(account, tenant.maxStreams)) return 'streams_full';
    holder.streamPlace = account;
    return true;
  }

  /** The response of a request has turned out to be a stream: its slots are free, if there is a place for it. */
  becomesStream(
    holder: SlotHolder,
    tenant: { readonly id: string } & Pick<LoadLimits, 'maxStreams'>,
    now: number,
  ): void {
    if (holder.streamPlace || (!holder.slot && !holder.serviceSlot)) return;
    if (this.enterStream(holder, tenant, now) === true) this.leaveSlots(holder);
  }

  /** The request is over, or has been shed. Called again it changes nothing. */
  leave(holder: SlotHolder): void {
    if (holder.slot !== undefined || holder.serviceSlot !== undefined) this.leaveSlots(holder);
    const { streamPlace } = holder;
    if (streamPlace === undefined) return;
    holder.streamPlace = undefined;
    this.streams.release(streamPlace);
  }

  private leaveSlots(holder: SlotHolder): void {
    const { slot, serviceSlot } = holder;
    holder.slot = undefined;
    holder.serviceSlot = undefined;
    if (serviceSlot && --serviceSlot.inflight === 0) this.services.delete(serviceSlot.id);
    if (slot === undefined) return;
    if (!(slot instanceof Waiter)) this.slots.leave(slot);
    else if (slot.granted) this.slots.leave(slot.account);
    else this.slots.cancel(slot);
  }

  private enterService(holder: SlotHolder, { id }: Occupant, max: number): boolean {
    let load = this.services.get(id);
    if (!load) this.services.set(id, (load = { id, inflight: 0 }));
    // At least one: a bound of zero is refused where it is written.
    if (load.inflight >= max) return false;
    load.inflight += 1;
    holder.serviceSlot = load;
    return true;
  }
}
