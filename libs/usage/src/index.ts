/**
 * usage: how many requests each tenant was let through with, counted in memory and added to the store once a second.
 * Not here: prices and limits.
 */
export { UsageCounter } from './usage-counter';
