/**
 * usage: how many requests each tenant was let through with, counted in memory and added to the store every two seconds.
 * Not here: prices and limits.
 */
export { UsageCounter } from './usage-counter';
