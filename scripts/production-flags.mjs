import fs from 'node:fs';

const { scripts } = JSON.parse(fs.readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** What Node.js is told in production, for whoever starts a gateway as `start:prod` does. */
export const PRODUCTION_FLAGS = scripts['start:prod'].split(' ').filter((word) => word.startsWith('--'));
