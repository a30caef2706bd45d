import * as keys from './keys';

describe('the keys', () => {
  it('that other programs write are as documented', () => {
    expect(keys.tenant('acme-123')).toBe('tenant:acme-123');
    expect(keys.apiKeyMapping('a1b2')).toBe('tenant:byApiKey:a1b2');
    expect(keys.rateLimit('acme-123', 60)).toBe('rl:acme-123:60');
  });

  it('of one tenant share a slot of a cluster', () => {
    const own = [
      keys.apiKeyIndex('a'),
      keys.apiKeyRecord('a', 'k'),
      keys.serviceIndex('a'),
      keys.serviceKeyIndex('a', '1'),
      keys.serviceTokenIndex('a'),
      keys.rateLimitOfKey('a', 'x', 60),
      keys.rateLimitOfRoute('a', 'x', 60),
      keys.rateLimitOfService('a', 'x', 60),
    ];
    expect(new Set(own.map((key) => /\{(.+?)\}/.exec(key)?.[1]))).toEqual(new Set(['a']));
    expect(new Set(own).size).toBe(own.length);
  });

  it.each<[key: string, id: string | undefined]>([
    ['tenant:acme', 'acme'],
    ['tenant:with space', 'with space'],
    ['tenant:byApiKey', 'byApiKey'],
    ['tenant:byApiKey:abc', undefined],
    ['tenant:service:1', undefined],
    ['tenant:token:1', undefined],
    ['tenant:service', 'service'],
    ['tenant:', undefined],
    ['tenant:a:b', undefined],
    ['tenants:acme', undefined],
    ['Tenant:acme', undefined],
    ['rl:acme:60', undefined],
    ['gatehouse:{acme}:usage', undefined],
    ['', undefined],
  ])('%s is the document of %p', (key, id) => {
    expect(keys.tenantIdOf(key)).toBe(id);
  });

  it('of tokens are told from all others, whatever a token is called', () => {
    expect(keys.serviceToken('a:b/c')).toBe('tenant:token:a:b/c');
    const all = [keys.serviceToken('a:b/c'), keys.service('7'), keys.tenant('token'), keys.auditEntry('1')];
    expect(all.map(keys.tokenIdOf)).toEqual(['a:b/c', undefined, undefined, undefined]);
  });

  it('of services and API keys are told apart', () => {
    expect(keys.service('7')).toBe('tenant:service:7');
    const all = [keys.service('7'), keys.apiKeyMapping('a1b2'), keys.tenant('service'), keys.tenant('7')];
    expect(all.map(keys.serviceIdOf)).toEqual(['7', undefined, undefined, undefined]);
    expect(all.map(keys.keyHashOf)).toEqual([undefined, 'a1b2', undefined, undefined]);
  });
});
