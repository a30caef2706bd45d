/**
 * usage: what every tenant, service, key and route has used, counted so that it can be invoiced: each finished request
 * once, in a journal on disk and from there in the ledgers of the store. All tables and fields are in `usage-tables.ts`.
 * Not here: prices, plans, limits and statements.
 */
export { UsageMeter, type SeriesKey, type UsageMeterOptions } from './usage-meter';
export { type Series, type SeriesIdentity } from './series';
export {
  MAX_USAGE_DAYS,
  readUsage,
  usageRange,
  type UsageGroup,
  type UsageQuery,
  type UsageRange,
  type UsageRow,
} from './read-usage';
export * from './usage-tables';
