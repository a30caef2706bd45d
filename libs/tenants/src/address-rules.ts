import { hash } from 'node:crypto';
import { addressDigits } from '#libs/config';
import { GatewayError } from '#libs/errors';
import { AddressList } from './address-list';
import { GenerationalCache } from './generational-cache';
import type { RateLimit } from './tenant';

/** From where requests may come. */
export interface AddressRuleFields {
  /** Addresses, CIDR blocks and wildcards, IPv4 and IPv6; absent means any. */
  ipAllow?: string[];
  /** The same; what is in both is refused. */
  ipDeny?: string[];
}

/** What a tenant or a route says about its clients one by one. */
export interface ClientRuleFields extends AddressRuleFields {
  /** A limit of each client address, beside those for all; IPv6 by /64, which is what one customer has. */
  rateLimitPerIp?: RateLimit;
}

/** What the bucket of every client is like. */
export interface ClientLimit {
  readonly capacity: number;
  readonly windowMs: number;
}

/** Of such lists there may be many alike, those of a plan; a long one is kept by whoever has it. */
const MAX_COMMON_ENTRIES = 100;
const MAX_COMMON_RULES = 1000;
const commonRules = new GenerationalCache<AddressRules>(MAX_COMMON_RULES);

/** The two lists compiled. */
export class AddressRules {
  private readonly allow: AddressList | undefined;
  private readonly deny: AddressList | undefined;

  constructor({ ipAllow, ipDeny }: AddressRuleFields) {
    this.allow = ipAllow && new AddressList(ipAllow);
    this.deny = ipDeny && new AddressList(ipDeny);
  }

  /** What is denied is denied, whatever is allowed; what is no address is in neither list, and not let in. */
  admits(address: string): boolean {
    if (this.deny?.includes(address)) return false;
    return this.allow ? this.allow.includes(address) : addressDigits(address) !== undefined;
  }
}

/** The rules of a document; undefined where it has none. */
export function addressRulesOf({ ipAllow, ipDeny }: AddressRuleFields): AddressRules | undefined {
  if (!ipAllow && !ipDeny) return undefined;
  const rules = { ipAllow, ipDeny };
  if ((ipAllow?.length ?? 0) + (ipDeny?.length ?? 0) > MAX_COMMON_ENTRIES) return new AddressRules(rules);
  const key = hash('sha256', JSON.stringify([ipAllow, ipDeny]));
  let known = commonRules.get(key);
  if (!known) commonRules.set(key, (known = new AddressRules(rules)));
  return known;
}

/** @throws GatewayError address_not_allowed */
export function demandAddress(rules: AddressRules | undefined, address: string, place: string): void {
  if (rules?.admits(address) === false)
    throw new GatewayError('address_not_allowed', `the address lists of the ${place} do not let it in`);
}

export function clientLimitOf({ rateLimitPerIp }: ClientRuleFields): ClientLimit | undefined {
  if (!rateLimitPerIp) return undefined;
  return { capacity: rateLimitPerIp.maxRequests, windowMs: rateLimitPerIp.windowSeconds * 1000 };
}
