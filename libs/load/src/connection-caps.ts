/** Connections of clients in this process; 0 for any number. */
export interface ConnectionLimits {
  readonly max: number;
  readonly maxPerAddress: number;
}

/** Why a connection is not taken. */
export type ConnectionRefusal = 'total' | 'address';

/**
 * How many connections there are, in all and of each address. Remembers an address for as long as it has a connection,
 * so its memory is bounded by the connections themselves.
 */
export class ConnectionCaps {
  /** Connections that are open. */
  open = 0;
  private readonly byBlock = new Map<string, number>();

  constructor(private readonly limits: ConnectionLimits) {}

  /**
   * Counts a connection, unless there are too many.
   * @param address undefined: that of a proxy, behind which there are many clients.
   */
  enter(address: string | undefined): ConnectionRefusal | undefined {
    const { max, maxPerAddress } = this.limits;
    if (max > 0 && this.open >= max) return 'total';
    if (maxPerAddress > 0 && address !== undefined) {
      const block = addressBlockOf(address);
      const count = this.byBlock.get(block) ?? 0;
      if (count >= maxPerAddress) return 'address';
      this.byBlock.set(block, count + 1);
    }
    this.open += 1;
    return undefined;
  }

  /** A connection that was counted is closed. @param address as it was given to `enter`. */
  leave(address: string | undefined): void {
    this.open -= 1;
    if (this.limits.maxPerAddress === 0 || address === undefined) return;
    const block = addressBlockOf(address);
    const left = (this.byBlock.get(block) ?? 0) - 1;
    if (left > 0) this.byBlock.set(block, left);
    else this.byBlock.delete(block);
  }

  /** Addresses in memory. */
  get addresses(): number {
    return this.byBlock.size;
  }
}

/** What one client has: an IPv4 address, or the 64 bits of IPv6 that a network is given (RFC 4291 §2.5.1). */
export function addressBlockOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = (address.split('%')[0] as string).split('::');
  const left = head === '' ? [] : head.split(':');
  if (tail === undefined) return blockOf(left);
  const right = tail === '' ? [] : tail.split(':');
  // An IPv4 address at the end takes the place of two groups.
  const groups = right.length + (right.at(-1)?.includes('.') ? 1 : 0);
  const zeros = new Array<string>(Math.max(0, 8 - left.length - groups)).fill('0');
  return blockOf([...left, ...zeros, ...right]);
}

function blockOf(groups: readonly string[]): string {
  return groups
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':');
}
