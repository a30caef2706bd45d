import type { GatewayProject } from './gateway-projects';
import { plan, titleOf } from './plan';
import { projectOf } from './read-projects';

interface Parts {
  url?: string;
  suspended?: boolean;
  publishes?: boolean;
}

const acme = ({ url = 'http://a', suspended, publishes = true }: Parts = {}) =>
  projectOf({
    tenant: { id: 'acme', name: 'acme', upstreamBaseUrl: 'http://a', allowedRoutes: [], suspended },
    services: new Map(publishes ? [['api', { targets: [{ url }] }]] : []),
    routes: publishes ? [{ name: 'r', path: '/acme', backends: [{ service: 'api' }] }] : [],
  });
const declared = (parts?: Parts) => new Map([['acme', acme(parts)]]);
const existing = (parts?: Parts) => declared(parts) as unknown as Map<string, GatewayProject>;
const titles = (changes: ReturnType<typeof plan>): string[] =>
  changes.map((change) => `${change.action} ${titleOf(change)}`);

describe('plan', () => {
  it('makes what is named before what names it, and deletes the other way round', () => {
    expect(titles(plan(declared(), new Map(), ['old']))).toEqual([
      'create tenant acme',
      'create service acme/api',
      'create publication acme',
      'delete tenant old',
    ]);
    expect(titles(plan(declared({ publishes: false }), existing(), []))).toEqual([
      'delete publication acme',
      'delete service acme/api',
    ]);
  });

  it('finds nothing to do where nothing differs', () => {
    expect(plan(declared(), existing(), [])).toEqual([]);
  });

  it('names the fields of an update', () => {
    expect(plan(declared({ url: 'http://b' }), existing(), [])).toMatchObject([
      {
        action: 'update',
        kind: 'service',
        fields: [{ sign: '~', field: 'targets.0.url', before: 'http://a', after: 'http://b' }],
      },
    ]);
  });

  it('lets no suspended tenant in again because a file does not speak of it', () => {
    expect(plan(declared(), existing({ suspended: true }), [])).toEqual([]);
    expect(plan(declared({ suspended: false }), existing({ suspended: true }), [])).toMatchObject([
      { fields: [{ field: 'suspended' }] },
    ]);
    expect(plan(declared({ suspended: false }), existing(), [])).toEqual([]);
  });
});
