import { fileOf, projectOf, serviceNames, type ProjectFile } from './project';

describe('a project file', () => {
  it('means what its short forms stand for', () => {
    const file: ProjectFile = {
      project: { id: 'acme', idp: { issuer: 'x' } },
      services: {
        api: { url: 'http://a' },
        web: { targets: [{ url: 'http://b', weight: 1 }], auth: { jwt: false } },
      },
      routes: [
        { name: 'r', path: '/acme', service: 'api' },
        { name: 's', path: '/s', backends: [{ service: 'web', weight: 0 }] },
      ],
    };
    expect(projectOf(file)).toEqual({
      id: 'acme',
      tenant: { name: 'acme', idp: { issuer: 'x' }, upstreamBaseUrl: 'http://a', allowedRoutes: [] },
      services: new Map([
        ['api', { auth: { jwt: true }, targets: [{ url: 'http://a' }] }],
        ['web', { auth: { jwt: false }, targets: [{ url: 'http://b' }] }],
      ]),
      routes: [
        { name: 'r', path: '/acme', backends: [{ service: 'api' }] },
        { name: 's', path: '/s', backends: [{ service: 'web', weight: 0 }] },
      ],
    });
  });

  it('comes back from what it declares', () => {
    const project = projectOf({
      project: { id: 'acme', upstreamBaseUrl: 'http://a' },
      services: { api: { url: 'http://a', rateLimit: { maxRequests: 1, windowSeconds: 1 } } },
      routes: [{ name: 'r', path: '/acme', service: 'api' }],
      apiRoutes: [{ path: '/v1' }],
    });
    expect(projectOf(fileOf(project))).toEqual(project);
  });
});

describe('names of services', () => {
  it('are their own where a file can say them, and unique', () => {
    const services = [
      ['1', 'api'],
      ['2', 'My API (old)'],
      ['3', 'api'],
      ['4', '***'],
      ['acme.web', 'web'],
    ].map(([id = '', name = '']) => ({ id, name }));
    expect([...serviceNames(services).values()]).toEqual(['api', 'my-api-old', 'api-3', 'service', 'web']);
  });
});
