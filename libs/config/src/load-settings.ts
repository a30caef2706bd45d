import { integer } from './parsers';

const MILLISECONDS = integer(1, 86_400_000, 'milliseconds');

/** The part of the settings that bounds how much clients may ask for at once, and how slow they may be. */
export const LOAD_SETTINGS = {
  MAX_CONCURRENT_REQUESTS: {
    section: 'Load',
    parse: integer(0, 1_000_000),
    fallback: '0',
    doc: 'Requests under way per process, shared fairly between tenants; 0 means any number.',
  },
  MAX_QUEUED_REQUESTS: {
    parse: integer(0, 100_000),
    fallback: '100',
    doc: 'Requests that may wait for MAX_CONCURRENT_REQUESTS or the maxConcurrency of their tenant, per process.',
  },
  QUEUE_TIMEOUT_MS: {
    parse: MILLISECONDS,
    fallback: '1000',
    doc: 'How long such a request waits before it is answered with 503.',
  },
  MAX_OPEN_STREAMS: {
    parse: integer(0, 1_000_000),
    fallback: '0',
    doc: 'Event streams and WebSockets open per process, which do not count as requests under way; 0 means any number.',
  },
  MAX_EVENT_LOOP_DELAY_MS: {
    parse: integer(0, 60_000, 'milliseconds'),
    fallback: '0',
    doc: 'Delay of the event loop above which fewer requests are let in at once, until it is below; 0 turns that off.',
  },
  MAX_CONNECTIONS: {
    parse: integer(0, 10_000_000),
    fallback: '0',
    doc: 'Client connections per process; further ones are reset. 0 means any number.',
  },
  MAX_CONNECTIONS_PER_IP: {
    parse: integer(0, 1_000_000),
    fallback: '0',
    doc: 'Those of one IPv4 address or IPv6 network (/64); trusted proxies are exempt. 0 means any number.',
  },
  CLIENT_HEAD_TIMEOUT_MS: {
    parse: MILLISECONDS,
    fallback: '20000',
    doc: 'Time that a client has to send the head of a request.',
  },
  MIN_BODY_BYTES_PER_SECOND: {
    parse: integer(0, 1_000_000_000, 'bytes'),
    fallback: '240',
    doc: 'Least pace of a request body whose answer has not begun, over CLIENT_BODY_GRACE_MS; 0 means any.',
  },
  CLIENT_BODY_GRACE_MS: {
    parse: MILLISECONDS,
    fallback: '10000',
    doc: 'Time over which the pace of a request body is measured.',
  },
  CLIENT_READ_TIMEOUT_MS: {
    parse: MILLISECONDS,
    fallback: '60000',
    doc: 'How long a client may leave what has been written to it unread.',
  },
} as const;
