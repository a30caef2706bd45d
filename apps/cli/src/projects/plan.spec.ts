import type { GatewayProject } from './gateway-projects';
import { plan, titleOf } from './plan';
import { projectOf, type ProjectFile } from './project';

const FILE: ProjectFile = {
  project: { id: 'acme' },
  services: { api: { url: 'http://a' } },
  routes: [{ name: 'r', path: '/acme', service: 'api' }],
};
const declared = (...files: ProjectFile[]) =>
  new Map(files.map((file) => [String(file.project.id), projectOf(file)]));
const existing = (...files: ProjectFile[]) => declared(...files) as Map<string, GatewayProject>;
const titles = (changes: ReturnType<typeof plan>): string[] =>
  changes.map((change) => `${change.action} ${titleOf(change)}`);

describe('plan', () => {
  it('makes what is named before what names it, and deletes the other way round', () => {
    expect(titles(plan(declared(FILE), new Map(), ['old']))).toEqual([
      'create tenant acme',
      'create service acme/api',
      'create publication acme',
      'delete tenant old',
    ]);
    expect(
      titles(plan(declared({ project: { id: 'acme', upstreamBaseUrl: 'http://a' } }), existing(FILE), [])),
    ).toEqual(['delete publication acme', 'delete service acme/api']);
  });

  it('finds nothing to do where nothing differs', () => {
    expect(plan(declared(FILE), existing(FILE), [])).toEqual([]);
  });

  it('names the fields of an update', () => {
    const moved = {
      ...FILE,
      services: { api: { url: 'http://b' } },
      project: { id: 'acme', upstreamBaseUrl: 'http://a' },
    };
    expect(plan(declared(moved), existing(FILE), [])).toMatchObject([
      {
        action: 'update',
        kind: 'service',
        fields: [{ sign: '~', field: 'targets.0.url', before: 'http://a', after: 'http://b' }],
      },
    ]);
  });

  it('lets no suspended tenant in again because a file does not speak of it', () => {
    const suspended = { ...FILE, project: { id: 'acme', suspended: true } };
    expect(plan(declared(FILE), existing(suspended), [])).toEqual([]);
    const resumed = { ...FILE, project: { id: 'acme', suspended: false } };
    expect(plan(declared(resumed), existing(suspended), [])).toMatchObject([
      { fields: [{ field: 'suspended' }] },
    ]);
    expect(plan(declared(resumed), existing(FILE), [])).toEqual([]);
  });
});
