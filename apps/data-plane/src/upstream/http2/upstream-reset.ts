import { constants } from 'node:http2';

const NAMES = new Map(
  Object.entries(constants).flatMap(([name, value]) =>
    /^NGHTTP2_(?:NO_ERROR|[A-Z0-9_]+_ERROR|SETTINGS_TIMEOUT|STREAM_CLOSED|REFUSED_STREAM|CANCEL|ENHANCE_YOUR_CALM|INADEQUATE_SECURITY|HTTP_1_1_REQUIRED)$/.test(
      name,
    ) && !name.startsWith('NGHTTP2_ERR')
      ? [[value as number, name.slice('NGHTTP2_'.length)] as const]
      : [],
  ),
);

/** Whoever says so wants fewer requests, not the same again. */
const { NGHTTP2_ENHANCE_YOUR_CALM } = constants;

/** A connection whose other end gives no sign of life. */
export class SilentUpstream extends Error {
  constructor() {
    super('the upstream answers no PING');
  }
}

/**
 * A stream that its upstream has broken off, or that went down with its connection. To those above it is a connection of
 * HTTP/1.1 that broke: same code, same consequences.
 */
export class UpstreamReset extends Error {
  readonly code: 'ECONNRESET' | 'ETIMEDOUT' | 'ENHANCE_YOUR_CALM';

  /** @param reason code of RST_STREAM or GOAWAY (RFC 9113 §7). */
  constructor(reason: number, cause?: unknown) {
    super(`the upstream reset the stream: ${NAMES.get(reason) ?? reason}`, { cause });
    this.code =
      cause instanceof SilentUpstream
        ? 'ETIMEDOUT'
        : reason === NGHTTP2_ENHANCE_YOUR_CALM
          ? 'ENHANCE_YOUR_CALM'
          : 'ECONNRESET';
  }
}
