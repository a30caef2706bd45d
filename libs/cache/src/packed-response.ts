import { StoredResponse, TEXT_BYTES, type Origin } from './stored-response';
import type { StorageTerms } from './storing';

/** Raised with every change of the form: replicas of two versions share a Redis during a rolling update. */
const FORM = 1;

interface Head {
  readonly form: number;
  readonly status: number;
  readonly headers: readonly string[];
  readonly storedAt: number;
  readonly terms: StorageTerms;
  readonly etag?: string;
  readonly lastModified?: string;
  readonly origin: Origin;
}

/** RFC 9110 §5.6.2 and §5.5: what is read must not be able to end a header and begin another. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const UNSAFE = /[\x00-\x08\x0a-\x1f\x7f]/;

/** A response as replicas share it: the length of the head, the head as JSON, the body as it is. */
export function pack(response: StoredResponse): Buffer {
  const { status, headers, storedAt, terms, etag, lastModified, origin, body } = response;
  const head: Head = { form: FORM, status, headers, storedAt, terms, etag, lastModified, origin };
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text, typeof body === 'string' ? Buffer.from(body, 'latin1') : body]);
}

/** Undefined for what another version has written, or anybody else. */
export function unpack(bytes: Buffer): StoredResponse | undefined {
  try {
    const end = 4 + bytes.readUInt32BE();
    const head = JSON.parse(bytes.toString('utf8', 4, end)) as Head;
    if (head.form !== FORM || end > bytes.length || !isSafe(head)) return undefined;
    const rest = bytes.subarray(end);
    const body = rest.length <= TEXT_BYTES ? rest.toString('latin1') : rest;
    const { status, headers, storedAt, terms, etag, lastModified, origin } = head;
    return new StoredResponse({ status, headers, body, storedAt, terms, etag, lastModified, origin });
  } catch {
    return undefined;
  }
}

function isSafe({ status, headers, storedAt, terms, origin }: Head): boolean {
  const texts = headers.every((text, i) =>
    i % 2 === 0
      ? typeof text === 'string' && NAME.test(text)
      : typeof text === 'string' && !UNSAFE.test(text),
  );
  const numbers = [
    status,
    storedAt,
    terms.lifetimeMs,
    terms.initialAgeMs,
    terms.staleIfErrorMs,
    origin.purges,
  ];
  return (
    texts && headers.length % 2 === 0 && status >= 200 && status <= 599 && numbers.every(Number.isFinite)
  );
}

/** What stands under a key whose responses vary: by which headers, so that the variant can be asked for. */
export function packVary(vary: readonly string[]): Buffer {
  return Buffer.from(`vary ${vary.join(' ')}`);
}

export function unpackVary(bytes: Buffer): readonly string[] | undefined {
  return bytes.toString('latin1', 0, 5) === 'vary ' ? bytes.toString('latin1', 5).split(' ') : undefined;
}
