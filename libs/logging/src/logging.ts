import pino from 'pino';
import type { GatewayConfig } from '#libs/config';
import { accessLine, type AccessRecord } from './access-line';

export type Logger = pino.Logger;

/** The documented categories; operators filter by them (`grep '"category":"auth"'`). */
export type LogCategory = 'auth' | 'policy' | 'request' | 'admin';

/** The process's log: ordinary events through pino, and the access line on a short cut. */
export interface Logging {
  readonly logger: Logger;
  /** Writes the one line of a finished request. */
  access(record: AccessRecord): void;
  /** Writes out what is buffered; call it last. */
  flush(): void;
}

/** Lines are collected up to this size before one write(2): a system call per line would cost more than the line. */
const BUFFER_BYTES = 8192;
/** … but a quiet gateway must not sit on its lines. */
const FLUSH_INTERVAL_MS = 200;

/** @param stream replaces standard output, for tests. */
export function createLogging(
  config: Pick<GatewayConfig, 'logLevel'>,
  stream?: pino.DestinationStream & { flush?: () => void; flushSync?: () => void },
): Logging {
  const destination = stream ?? pino.destination({ fd: 1, sync: false, minLength: BUFFER_BYTES });
  const logger = pino(
    {
      level: config.logLevel,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  if (destination.flush) setInterval(() => destination.flush?.(), FLUSH_INTERVAL_MS).unref();

  return {
    logger,
    access(record) {
      const level = record.status >= 500 ? 'error' : record.status >= 400 ? 'warn' : 'info';
      if (logger.isLevelEnabled(level)) destination.write(accessLine(record, level));
    },
    flush() {
      try {
        destination.flushSync?.();
      } catch {
        // The destination never opened or is gone; there is nowhere left to say so.
      }
    },
  };
}
