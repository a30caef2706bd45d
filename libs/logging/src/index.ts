/**
 * logging: one JSON line per event on standard output, in four categories (auth, policy, request, admin).
 * Owns the pino instance, the buffered destination and the hand-written access line.
 * Not here: what is worth logging. No secret may be handed to it: it redacts nothing.
 */
export { createLogging, type Logging, type LogCategory, type Logger } from './logging';
export type { AccessRecord } from './access-line';
export { nestLogger } from './nest-logger';
