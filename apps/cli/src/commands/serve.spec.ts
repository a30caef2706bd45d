import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { GATEWAY_FLAGS } from './serve';

it('runs the gateway as start:prod does', () => {
  const { scripts } = JSON.parse(readFileSync(resolve(__dirname, '../../../../package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  expect(scripts['start:prod']).toBe(`exec node ${GATEWAY_FLAGS.join(' ')} dist/src/main.js`);
});
