import { InvalidArgumentError } from 'commander';

/** Parsers of options: each throws what completes "option '--x' is invalid". */

/** A whole number of at least `min`. */
export function whole(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min) {
      throw new InvalidArgumentError(`It must be a whole number of at least ${min}.`);
    }
    return value;
  };
}

/** `100/60`: so many requests in so many seconds. */
export function rateLimit(text: string): { maxRequests: number; windowSeconds: number } {
  const [, requests, seconds] = /^(\d{1,10})\/(\d{1,8})$/.exec(text) ?? [];
  if (requests === undefined) {
    throw new InvalidArgumentError('It must be requests/seconds, such as 100/60.');
  }
  return { maxRequests: Number(requests), windowSeconds: Number(seconds) };
}

/** `/v1/users`, or `GET,POST /v1/users`; the option may be given several times. */
export function routes(text: string, before: Array<{ path: string; methods?: string[] }> = []) {
  const [, methods, path] = /^(?:([A-Za-z,-]+)\s+)?(\/\S*)$/.exec(text.trim()) ?? [];
  if (path === undefined) {
    throw new InvalidArgumentError('It must be a path, with methods before it if need be: "GET,POST /v1".');
  }
  return [...before, methods ? { path, methods: methods.toUpperCase().split(',') } : { path }];
}

/** Collects the values of an option that may be given several times. */
export function several(text: string, before: string[] = []): string[] {
  return [...before, text];
}

/** `name=value`; the option may be given several times. */
export function pairs(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be name=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** `Name: value`, as curl takes it; a header given twice is sent twice. */
export function headers(text: string, before: Record<string, string[]> = {}): Record<string, string[]> {
  const at = text.indexOf(':');
  if (at < 1) throw new InvalidArgumentError("It must be 'Name: value'.");
  const name = text.slice(0, at).trim();
  return { ...before, [name]: [...(before[name] ?? []), text.slice(at + 1).trim()] };
}
