import { Logger as NestPinoLogger, PinoLogger } from 'nestjs-pino';
import type { Logger } from './logging';

/** The framework's own messages, in the same format and at the same level as everything else. */
export function nestLogger(logger: Logger): NestPinoLogger {
  const params = { pinoHttp: { logger } };
  return new NestPinoLogger(new PinoLogger(params), params);
}
