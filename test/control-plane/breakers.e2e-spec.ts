import { refusal, startStage, tenantDocument, type Stage } from './stage';

const SERVICE = '/admin/tenants/acme/services/1';

// In Redis they are held in test/data-plane/breakers-replicas.
describe('circuit breakers of a control plane that serves nobody', () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await startStage();
    for (const id of ['acme', 'other']) await stage.call('POST', '/admin/tenants', tenantDocument(id));
    const targets = [{ url: 'http://a.test' }, { url: 'http://b.test' }];
    await stage.call('POST', '/admin/tenants/acme/services', { name: 's', targets, breaker: {} });
    await stage.call('POST', '/admin/tenants/acme/services', { name: 'plain', targets });
    await stage.call('PATCH', '/admin/tenants/acme', { breaker: { failures: 3 } });
  });
  afterEach(() => stage.close());

  const states = (body: unknown): string[] =>
    (body as { targets: Array<{ breaker: { state: string } }> }).targets.map(({ breaker }) => breaker.state);

  it('are held and let go, one or all, as everybody is shown', async () => {
    expect(states((await stage.call('GET', `${SERVICE}/health`)).body)).toEqual(['closed', 'closed']);
    const order = async (body: object): Promise<string[]> => {
      const answer = await stage.call('POST', `${SERVICE}/breaker`, body);
      expect(answer.status).toBe(200);
      return states(answer.body);
    };
    expect(await order({ action: 'open', target: 'http://b.test' })).toEqual(['closed', 'forced_open']);
    expect(await order({ action: 'close' })).toEqual(['forced_closed', 'forced_closed']);
    expect(states((await stage.call('GET', `${SERVICE}/health`)).body)).toEqual([
      'forced_closed',
      'forced_closed',
    ]);
    expect(await order({ action: 'reset' })).toEqual(['closed', 'closed']);
    const own = await stage.call('POST', '/admin/tenants/acme/breaker', { action: 'open' });
    expect(own).toMatchObject({
      status: 200,
      body: {
        targets: [{ breaker: { state: 'forced_open', reason: 'open by owner', since: expect.any(String) } }],
      },
    });
    expect(states((await stage.call('GET', '/admin/tenants/acme/health')).body)).toEqual(['forced_open']);
  });

  it('are refused where there are none, and to strangers', async () => {
    const order = { action: 'reset' };
    const cases = [
      ['acme/services/2/breaker', 'breaker_not_found'],
      ['acme/services/9/breaker', 'service_not_found'],
      ['other/services/1/breaker', 'service_not_found'],
      ['nobody/services/1/breaker', 'tenant_not_found'],
      ['other/breaker', 'breaker_not_found'],
      ['nobody/breaker', 'tenant_not_found'],
    ] as const;
    for (const [path, code] of cases) {
      const answer = refusal(await stage.call('POST', `/admin/tenants/${path}`, order));
      expect([path, answer]).toMatchObject([path, { status: 404, code }]);
    }
    expect(refusal(await stage.call('GET', '/admin/tenants/nobody/health'))).toMatchObject({ status: 404 });
    const stranger = { 'X-Admin-Token': 'x' };
    for (const path of [`${SERVICE}/breaker`, '/admin/tenants/acme/breaker'])
      expect(refusal(await stage.call('POST', path, order, stranger))).toMatchObject({ status: 401 });
    const shown = await stage.call('GET', '/admin/tenants/acme/health', undefined, stranger);
    expect(refusal(shown)).toMatchObject({ status: 401 });
    expect((await stage.call('GET', '/admin/tenants/other/health')).body).toMatchObject({
      watched: false,
      targets: [{ breaker: null, healthy: true }],
    });
  });

  it.each([
    [{}, 'action'],
    [{ action: 'explode' }, 'action'],
    [{ action: 'reset', target: 7 }, 'target'],
    [{ action: 'reset', target: 'http://c.test' }, 'target'],
    [{ action: 'reset', why: 'x' }, 'why'],
  ])('refuse %j and name the field', async (body, field) => {
    const answer = refusal(await stage.call('POST', `${SERVICE}/breaker`, body));
    expect(answer).toMatchObject({ status: 400, code: 'validation_failed', fields: [field] });
  });

  it('are what services and tenants say, which is checked, and changed in parts', async () => {
    const bad: Array<[object, string]> = [
      [{ breaker: true }, 'breaker'],
      [{ breaker: { failures: 0 } }, 'breaker.failures'],
      [{ breaker: { errorPercent: 101 } }, 'breaker.errorPercent'],
      [{ breaker: { slowMs: 0.5 } }, 'breaker.slowMs'],
      [{ breaker: { openMs: '1s' } }, 'breaker.openMs'],
      [{ breaker: { probes: 101 } }, 'breaker.probes'],
      [{ breaker: { failureStatuses: [404] } }, 'breaker.failureStatuses'],
      [{ breaker: { failureStatuses: [] } }, 'breaker.failureStatuses'],
      [{ breaker: { after: 1 } }, 'breaker.after'],
    ];
    for (const path of [SERVICE, '/admin/tenants/acme'])
      for (const [fields, field] of bad)
        expect([fields, refusal(await stage.call('PATCH', path, fields))]).toEqual(
          [fields, { status: 400, code: 'validation_failed', fields: [field] }],
        ); // prettier-ignore
    expect(refusal(await stage.call('PATCH', SERVICE, { slowStartSeconds: 0 }))).toMatchObject({
      fields: ['slowStartSeconds'],
    });
    expect(
      (await stage.call('PATCH', '/admin/tenants/acme', { breaker: { openMs: 50 } })).body,
    ).toMatchObject({
      breaker: { failures: 3, openMs: 50 },
    });
    const changed = { breaker: { slowMs: 9, failureStatuses: [500] }, slowStartSeconds: 5 };
    expect((await stage.call('PATCH', SERVICE, changed)).body).toMatchObject(changed);
    const removed = await stage.call('PATCH', SERVICE, { breaker: null, slowStartSeconds: null });
    expect(removed).toMatchObject({ status: 200 });
    expect(removed.body).not.toHaveProperty('breaker');
    expect(removed.body).not.toHaveProperty('slowStartSeconds');
  });
});
