import { serviceNames } from './project';

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
