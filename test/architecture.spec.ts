import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RULES, type SourceText, check } from './support/architecture-rules';

const ROOT = resolve(__dirname, '..');
/** Made from the OpenAPI document, see scripts/dashboard.mjs. */
const GENERATED = 'apps/dashboard/src/api/schema.d.ts';

describe('the source tree', () => {
  const files = ['src', 'apps', 'libs'].flatMap(readTree);

  it.each(Object.keys(RULES))('%s', (name) => {
    expect(check(RULES[name]!, files)).toEqual([]);
  });
});

/** Each rule against a tree that breaks it: a rule that sees nothing would hold for ever. */
describe('the rules', () => {
  const breaches: [rule: string, files: Record<string, string>, expected: string[]][] = [
    [
      'imports follow',
      {
        'libs/errors/src/a.ts': `import { x } from '#libs/config';`,
        'libs/store/src/a.ts': `import { x } from '#libs/config';\nimport type { Y } from '#libs/tenants';`,
        'libs/guards/src/a.ts': `import { x } from '#libs/tenants';\nexport * from '#apps/data-plane/src/x';`,
        'apps/data-plane/src/a.ts': `import '#libs/guards';\nconst x = await import('#apps/control-plane/src/x');`,
        'apps/control-plane/src/a.ts': `import x = require('../../../src/main');`,
        'src/main.ts': `import '#apps/data-plane/src/a';\nimport '#libs/errors';`,
      },
      [
        'apps/control-plane/src/a.ts:1 apps/control-plane may not import src',
        'apps/data-plane/src/a.ts:2 apps/data-plane may not import another app, apps/control-plane',
        'libs/errors/src/a.ts:1 libs/errors may not import libs/config (allowed: none)',
        'libs/guards/src/a.ts:2 a lib may not import an app, apps/data-plane',
        'libs/store/src/a.ts:2 libs/store may not import libs/tenants (allowed: logging, config, errors)',
      ],
    ],
    [
      'a lib is imported as',
      {
        'libs/store/src/redis/a.ts': `import '../b';\nimport '../../../config/src/index';\nimport '#libs/config/src/x';`,
        'apps/data-plane/src/a.ts': `import '../../../libs/store/src';\nimport 'ioredis';`,
        'apps/data-plane/src/a.spec.ts': `import '../../../test/support/redis';`,
      },
      [
        'apps/data-plane/src/a.ts:1 ../../../libs/store/src leaves its project: use #libs/… or #apps/…',
        'libs/store/src/redis/a.ts:2 ../../../config/src/index leaves its project: use #libs/… or #apps/…',
        'libs/store/src/redis/a.ts:3 #libs/config/src/x reaches past the index.ts of a lib',
      ],
    ],
    [
      'nothing uses forwardRef',
      { 'src/a.ts': `import { forwardRef } from '@nestjs/common';\n// forwardRef in words is fine` },
      ['src/a.ts:1 forwardRef hides a cycle: break the cycle'],
    ],
    [
      'the environment is read',
      {
        'libs/config/src/a.ts': 'process.env.PORT;',
        'libs/store/src/a.ts': `process.env.A;\nprocess['env'];\nconst { env: e } = process;\nimport { env } from 'node:process';`,
        'src/main.ts': `process.exitCode = 1; // process.env in words is fine`,
      },
      [1, 2, 3, 4].map(
        (line) => `libs/store/src/a.ts:${line} reads the environment: take the setting from #libs/config`,
      ),
    ],
    [
      'http-proxy is imported',
      {
        'apps/data-plane/src/a.ts': `import proxy from 'http-proxy';`,
        'apps/data-plane/src/b.ts': `import type proxy from 'http-proxy';`,
      },
      ['apps/data-plane/src/a.ts:1 imports http-proxy', 'apps/data-plane/src/b.ts:1 imports http-proxy'],
    ],
    ['http-proxy is imported', { 'src/a.ts': '' }, ['no file imports http-proxy']],
    [
      'no file is longer',
      { 'src/long.ts': '\n'.repeat(401), 'src/just.spec.ts': '\n'.repeat(400) },
      ['src/long.ts:401 has 401 lines'],
    ],
    [
      'folders are named',
      { 'libs/store/src/a/b/c.ts': '', 'libs/store/src/a/b/c/d.ts': '', 'apps/x/src/utils/a.ts': '' },
      [
        'apps/x/src/utils/a.ts:1 lies in a folder called "utils": name it after what is in it',
        'libs/store/src/a/b/c/d.ts:1 lies 3 folders below src/, 2 are allowed',
      ],
    ],
    [
      'files do not import each other',
      {
        'libs/store/src/index.ts': `export * from './b';\nimport type { T } from './typed';`,
        'libs/store/src/a.ts': `import './c';\nimport { type T } from './typed';`,
        'libs/store/src/b.ts': `\nimport './a';`,
        'libs/store/src/c.ts': `import '#libs/store';`,
        'libs/store/src/typed.ts': `import './a';`,
      },
      [
        'libs/store/src/a.ts:1 circle: libs/store/src/a.ts -> libs/store/src/c.ts -> libs/store/src/index.ts -> libs/store/src/b.ts -> libs/store/src/a.ts',
      ],
    ],
    [
      'every lib is in the table',
      {
        'libs/store/src/index.ts': 'export {};',
        'libs/tenants/src/a.ts': '',
        'libs/new/src/index.ts': '/** New. */',
      },
      [
        'libs/new:1 is missing in LIB_DIRECTIONS (architecture-rules.ts)',
        'libs/store/src/index.ts:1 does not open with a doc comment',
        'libs/tenants/src/index.ts:1 is missing',
      ],
    ],
  ];

  it.each(breaches)('see a breach of "%s …"', (prefix, tree, expected) => {
    const files: SourceText[] = Object.entries(tree).map(([path, text]) => ({ path, text }));
    const name = Object.keys(RULES).find((rule) => rule.startsWith(prefix));
    expect(check(RULES[name!]!, files)).toEqual(expected);
  });

  it('are all tried', () => {
    const untried = Object.keys(RULES).filter(
      (rule) => !breaches.some(([prefix]) => rule.startsWith(prefix)),
    );
    expect(untried).toEqual([]);
  });
});

function readTree(folder: string): SourceText[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : readTree(path);
    if (path === GENERATED) return [];
    return [{ path, text: readFileSync(join(ROOT, path), 'utf8') }];
  });
}
