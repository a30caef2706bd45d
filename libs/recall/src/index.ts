/**
 * recall: what a replica has read of the configuration, kept on its disk, so that it can serve it again when it starts while
 * Redis is away.
 * Not here: what is served from memory while Redis goes away later. Caches do that by themselves.
 */
export { recalling } from './recalling-store';
