/** A list of entity tags (RFC 9110 §8.8.3). */
const TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/**
 * Brings preconditions about weak tags, which a compressed response carries, back to what the upstream has said. Most
 * compare the tags of `If-None-Match` weakly and take either form, some as texts: they get both. `If-Match` is about
 * strong ones only (RFC 9110 §13.1.1), and would never hold again for whoever has got a response compressed.
 * @param headers of the request, flat, changed in place.
 * @returns the value of `If-None-Match` as the client has sent it.
 */
export function mapPreconditions(headers: string[]): string | undefined {
  let noneMatch: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    if (name === 'if-none-match') {
      noneMatch = noneMatch === undefined ? value : `${noneMatch}, ${value}`;
      headers[i + 1] = value.replace(TAG, (tag, weak: string | undefined, strong: string) =>
        weak === undefined ? tag : `${tag}, ${strong}`,
      );
    } else if (name === 'if-match') {
      headers[i + 1] = value.replace(TAG, '$2');
    }
  }
  return noneMatch;
}

/** Whether a list of tags names the weak form of a strong one. */
export function namesWeakly(list: string, strong: string): boolean {
  for (const [, weak, tag] of list.matchAll(TAG)) if (weak !== undefined && tag === strong) return true;
  return false;
}
