import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openApiDocument } from '#apps/control-plane/src/docs/open-api-document';

const SOURCE = resolve(__dirname, '../../apps/dashboard/src');
/** Signing in and out is everybody's. */
const OF_EVERYBODY = ['Session.begin', 'Session.show', 'Session.end'];

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts') ? [readFileSync(path, 'utf8')] : [];
  });
}

describe('the pages of the dashboard', () => {
  it('say of every change what it needs, by the name that the OpenAPI document has for it', async () => {
    const { paths } = await openApiDocument();
    const operationAt = (method: string, path: string): string => {
      const methods = paths[path] as Record<string, { operationId: string }> | undefined;
      return methods?.[method.toLowerCase()]?.operationId ?? `${method} ${path}`;
    };
    const text = sources(SOURCE).join('\n');
    const changes = [...text.matchAll(/api\.(POST|PUT|PATCH|DELETE)\(\s*'([^']+)'/g)];
    const asked = new Set(changes.map(([, method = '', path = '']) => operationAt(method, path)));
    expect(asked.size).toBeGreaterThan(40);
    const needs = new Set([...text.matchAll(/['"]([A-Z]\w+\.[a-z]\w+)['"]/g)].map(([, name]) => name));
    const unsaid = [...asked].filter((id) => !needs.has(id) && !OF_EVERYBODY.includes(id));
    expect(unsaid).toEqual([]);
  });
});
