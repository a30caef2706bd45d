import ipaddr from 'ipaddr.js';
import { objectionToAddressRange } from './address-range';
import { upstreamAddress } from './upstream-address';

/** Reads the text of one variable; throws an Error whose message completes "NAME … ". */
export type Parser<T> = (raw: string) => T;

export const text: Parser<string> = (raw) => raw;

/** A whole number in [min, max]; `unit` is only named in the message. */
export function integer(min: number, max: number, unit = ''): Parser<number> {
  return (raw) => {
    const value = Number(raw);
    if (!/^-?\d+$/.test(raw) || value < min || value > max) {
      throw new Error(`must be a whole number from ${min} to ${max}${unit && ` (${unit})`}`);
    }
    return value;
  };
}

/** A shared secret of HMAC with SHA-256: shorter than its output, it is the weakest part (RFC 7518 §3.2). */
export const hmacSecret: Parser<string> = (raw) => {
  if (Buffer.byteLength(raw) < 32) throw new Error('must have at least 32 bytes');
  return raw;
};

export const flag: Parser<boolean> = (raw) => {
  if (raw === 'true' || raw === '1') return true;
  if (raw === 'false' || raw === '0') return false;
  throw new Error('must be true or false');
};

export function oneOf<const T extends string>(...allowed: T[]): Parser<T> {
  return (raw) => {
    const found = allowed.find((value) => value === raw);
    if (found === undefined) throw new Error(`must be one of ${allowed.join(', ')}`);
    return found;
  };
}

/** A comma-separated list; empty items are refused because they are usually an unset shell variable. */
export function list<T>(item: Parser<T>): Parser<readonly T[]> {
  return (raw) =>
    raw.split(',').map((part) => {
      if (part.trim() === '') throw new Error('has an empty item');
      return item(part.trim());
    });
}

export function url(...protocols: string[]): Parser<string> {
  return (raw) => {
    if (!URL.canParse(raw) || !protocols.includes(new URL(raw).protocol)) {
      throw new Error(`must be a URL starting with ${protocols.map((p) => `${p}//`).join(' or ')}`);
    }
    return raw;
  };
}

/** An address or CIDR block, or one of the names that proxy-addr knows. */
export const addressBlock: Parser<string> = (raw) => {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(raw)) return raw;
  const valid = raw.includes('/') ? ipaddr.isValidCIDR(raw) : ipaddr.isValid(raw);
  if (!valid)
    throw new Error(`has '${raw}', which is no address, CIDR block, loopback, linklocal or uniquelocal`);
  return raw;
};

/** An entry of a list of addresses. */
export const addressRange: Parser<string> = (raw) => {
  const objection = objectionToAddressRange(raw);
  if (objection) throw new Error(`has '${raw}', which ${objection}`);
  return raw;
};

/** Where requests are forwarded to; a path in it goes before theirs. */
export const upstreamUrl: Parser<string> = (raw) => {
  const parsed = upstreamAddress(raw)?.url;
  if (!parsed) throw new Error('must be a URL starting with http://, https://, h2c:// or h2://');
  // Not shown: it may have a password.
  if (parsed.username || parsed.password) throw new Error('must not carry a user or password');
  if (parsed.search || parsed.hash) throw new Error('must not have a query or fragment');
  return raw;
};

/** What may stand in a header and in the name of a region. */
export const region: Parser<string> = (raw) => {
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(raw))
    throw new Error('must be 1 to 100 letters, digits, dots, dashes or underscores');
  return raw;
};

const MAX_BACKENDS = 200;
const BACKEND_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** A JSON object of URLs by the names under which they are published. */
export const backendServices: Parser<ReadonlyMap<string, string>> = (raw) => {
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    throw new Error('must be a JSON object of URLs by name, such as {"users":"http://users:8001"}');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('must be a JSON object of URLs by name');
  const entries = Object.entries(value);
  if (entries.length === 0 || entries.length > MAX_BACKENDS)
    throw new Error(`must have 1 to ${MAX_BACKENDS} services`);
  // Upstreams that do not tell Users from users could not keep them apart.
  const seen = new Set<string>();
  return new Map(
    entries.map(([name, target]) => {
      if (!BACKEND_NAME.test(name) || seen.has(name.toLowerCase()))
        throw new Error(
          `has the name '${name}': names are letters, digits, _ and -, each but once in any case`,
        );
      seen.add(name.toLowerCase());
      if (typeof target !== 'string') throw new Error(`has no text as the URL of ${name}`);
      try {
        return [name, upstreamUrl(target)];
      } catch (error) {
        throw new Error(`has a URL for ${name} that ${(error as Error).message}`, { cause: error });
      }
    }),
  );
};

/** `host:port`, the port optional. IPv6 hosts are written in brackets. */
export function endpoint(defaultPort: number): Parser<{ host: string; port: number }> {
  return (raw) => {
    const match = /^(\[[0-9a-fA-F:.]+\]|[^\s:[\]/]+)(?::(\d{1,5}))?$/.exec(raw);
    const port = Number(match?.[2] ?? defaultPort);
    if (!match?.[1] || port < 1 || port > 65535) throw new Error(`has '${raw}', which is not host:port`);
    return { host: match[1].replace(/^\[|\]$/g, ''), port };
  };
}

/** An origin as browsers send it in `Origin` (RFC 6454 §6.1), or `*`. */
export const origin: Parser<string> = (raw) => {
  if (raw === '*') return raw;
  if (!URL.canParse(raw) || new URL(raw).origin !== raw) throw new Error(`has '${raw}', which is no origin`);
  return raw;
};

/** The number of worker processes; `auto` is resolved by the caller, who knows the machine. */
export const workers: Parser<number | 'auto'> = (raw) => (raw === 'auto' ? raw : integer(1, 256)(raw));

/** A share, 0 to 1. */
export const ratio: Parser<number> = (raw) => {
  const value = Number(raw);
  if (!/^(?:\d+\.?\d*|\.\d+)$/.test(raw) || value > 1) throw new Error('must be a number from 0 to 1');
  return value;
};

const PAIR = /^\s*([A-Za-z0-9._/-]{1,255})\s*=\s*([\x21-\x7e]{0,8192}?)\s*$/;

/** `name=value,…` with values percent-encoded, as OpenTelemetry has it. Values are not shown: they may be secrets. */
export const pairs: Parser<ReadonlyMap<string, string>> = (raw) => {
  const found = new Map<string, string>();
  for (const part of raw.split(',')) {
    const [, name = '', value = ''] = PAIR.exec(part) ?? [];
    if (name === '') throw new Error('must be name=value pairs with commas between them');
    try {
      found.set(name, decodeURIComponent(value));
    } catch (cause) {
      throw new Error(`has a value of ${name} that is not percent-encoded`, { cause });
    }
    // What is decoded may become a header (RFC 9110 §5.5).
    // eslint-disable-next-line no-control-regex -- control characters are what it looks for
    if (/[\x00-\x1f\x7f]/.test(found.get(name) ?? '')) throw new Error(`has a control character in ${name}`);
  }
  return found;
};
