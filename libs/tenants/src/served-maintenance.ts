import { hash, timingSafeEqual } from 'node:crypto';
import { AddressList } from './address-list';
import type { Maintenance } from './maintenance';

const DEFAULT_RETRY_SECONDS = 60;

/** Who asks to be served during a maintenance. */
export interface Visitor {
  readonly clientAddress: string;
  /** Value of `X-Maintenance-Bypass`. */
  readonly maintenanceBypass: string | undefined;
}

/** A maintenance compiled for the request path. */
export class ServedMaintenance {
  readonly message: string | undefined;
  /** When it is over, milliseconds since the epoch; Infinity for not by itself. */
  readonly endsAt: number;
  private readonly retrySeconds: number;
  private readonly allowed: AddressList | undefined;
  private readonly bypass: Buffer | undefined;

  constructor({ message, until, retryAfterSeconds, allowedIps, bypassSha256 }: Maintenance) {
    this.message = message;
    this.endsAt = until === undefined ? Infinity : Date.parse(until);
    this.retrySeconds = retryAfterSeconds ?? DEFAULT_RETRY_SECONDS;
    this.allowed = allowedIps && new AddressList(allowedIps);
    this.bypass = bypassSha256 === undefined ? undefined : Buffer.from(bypassSha256, 'hex');
  }

  /** @param now milliseconds since the epoch. */
  stops({ clientAddress, maintenanceBypass }: Visitor, now: number): boolean {
    if (now >= this.endsAt) return false;
    if (this.allowed?.includes(clientAddress)) return false;
    const { bypass } = this;
    if (bypass === undefined || maintenanceBypass === undefined) return true;
    return !timingSafeEqual(hash('sha256', maintenanceBypass, 'buffer'), bypass);
  }

  /** Whole seconds until it is worth coming back. */
  retryAfterSeconds(now: number): number {
    return this.endsAt === Infinity ? this.retrySeconds : Math.max(1, Math.ceil((this.endsAt - now) / 1000));
  }
}

export function servedMaintenance(maintenance: Maintenance | undefined): ServedMaintenance | undefined {
  return maintenance && new ServedMaintenance(maintenance);
}
