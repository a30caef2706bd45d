/** What the head of a response says about whether, and as what, its body may be encoded. */
export class HeadSurvey {
  contentType = '';
  /** Its bytes are meant for exactly this: it has a coding already, is a part of something, or says so itself. */
  mustStay = false;
  private etagAt = -1;
  private varyAt = -1;
  private varies = false;

  /** @param headers flat: name, value, name, value, … */
  constructor(private readonly headers: string[]) {
    for (let i = 0; i < headers.length; i += 2) this.read((headers[i] as string).toLowerCase(), i + 1);
  }

  private read(name: string, at: number): void {
    const value = this.headers[at] as string;
    switch (name) {
      case 'content-type':
        this.contentType = value;
        break;
      case 'content-encoding':
        this.mustStay ||= value.trim().toLowerCase() !== 'identity';
        break;
      case 'content-range':
        this.mustStay = true;
        break;
      case 'cache-control':
        this.mustStay ||= forbidsTransform(value);
        break;
      case 'etag':
        this.etagAt = at;
        break;
      case 'vary':
        this.varyAt = at;
        this.varies ||= /(?:^|,)\s*(?:accept-encoding|\*)\s*(?:,|$)/i.test(value);
    }
  }

  /** Caches must not give to one what was meant for another (RFC 9110 §12.5.5). */
  addVary(): void {
    if (this.varies) return;
    this.varies = true;
    if (this.varyAt < 0) this.headers.push('Vary', 'Accept-Encoding');
    else this.headers[this.varyAt] = `${this.headers[this.varyAt]}, Accept-Encoding`;
  }

  /** The tag of the response if it is a strong one. */
  get strongTag(): string | undefined {
    const tag = this.etagAt < 0 ? undefined : this.headers[this.etagAt];
    return tag?.startsWith('"') ? tag : undefined;
  }

  /** Other bytes than the upstream vouches for, though they mean the same (RFC 9110 §8.8.3.3). */
  weakenTag(): void {
    const tag = this.strongTag;
    if (tag !== undefined) this.headers[this.etagAt] = `W/${tag}`;
  }
}

/** Named by a response, or by a request (RFC 9111 §5.2.1.6, §5.2.2.6). */
export function forbidsTransform(cacheControl: string): boolean {
  return /(?:^|,)\s*no-transform\s*(?:,|$)/i.test(cacheControl);
}

/** What is true of the bytes that the upstream has sent only: their length, their digests (RFC 9530), and their ranges. */
const OF_THE_BYTES =
  /^(?:content-length|content-encoding|content-md5|content-digest|repr-digest|digest|accept-ranges)$/i;

/** Whether a field, be it of the trailers, says something about bytes that the client does not get. */
export function isOfTheBytes(name: string): boolean {
  return OF_THE_BYTES.test(name);
}

/**
 * Makes the head that of the encoded body.
 * @param length of that; undefined where it is not known.
 */
export function encodeHead(
  headers: string[],
  survey: HeadSurvey,
  coding: string,
  length: number | undefined,
): void {
  survey.weakenTag();
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    if (isOfTheBytes(headers[i] as string)) continue;
    headers[kept] = headers[i] as string;
    headers[kept + 1] = headers[i + 1] as string;
    kept += 2;
  }
  headers.length = kept;
  headers.push('Content-Encoding', coding);
  // A part of what the client has got cannot be had: nobody keeps that.
  headers.push('Accept-Ranges', 'none');
  if (length !== undefined) headers.push('Content-Length', String(length));
}
