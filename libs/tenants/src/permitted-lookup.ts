import {
  lookup as systemLookup,
  type LookupAddress,
  type LookupAllOptions,
  type LookupOptions,
} from 'node:dns';
import type { AddressPolicy } from './address-policy';

type LookupCallback = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/** `dns.lookup` with `all`. */
export type SystemLookup = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void;

/** A name leads only to addresses that must not be connected to. The message names one: for the log, not for clients. */
export class ForbiddenAddressError extends Error {}

/**
 * `dns.lookup` that leaves out forbidden addresses. It is asked for the very connection that follows, so a name
 * that resolves differently a second later (DNS rebinding) gains nothing.
 */
export function permittedLookup(addresses: AddressPolicy, lookup: SystemLookup = systemLookup) {
  return (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, []);
      const objections = found.map(({ address }) => addresses.objection(address, hostname));
      const permitted = found.filter((_address, index) => objections[index] === undefined);
      const [first] = permitted;
      if (first === undefined) {
        return callback(new ForbiddenAddressError(`${hostname}: ${objections[0] ?? 'no address'}`), []);
      }
      if (options.all) callback(null, permitted);
      else callback(null, first.address, first.family);
    });
  };
}
