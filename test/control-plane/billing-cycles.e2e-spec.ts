import { BillingAccounts } from '#apps/control-plane/src/billing/billing-accounts';
import { BillingCycles } from '#apps/control-plane/src/billing/billing-cycles';
import { Statements } from '#apps/control-plane/src/billing/statements';
import { KnownKeys } from '#apps/control-plane/src/usage/known-keys';
import type { Statement } from '#libs/billing';
import { createLogging } from '#libs/logging';
import { keys, type Store } from '#libs/store';
import { ApiKeyRepository } from '#libs/tenants';
import { makeKey, makeTenant, traffic } from './billed-tenant';
import { describeStores, type Stage } from './stage';

const unitsOf = (statements: readonly Statement[]): number =>
  statements.flatMap(({ lines }) => lines).reduce((sum, { requests }) => sum + requests, 0);

/** The rule as a control plane of its own would have it. */
function cyclesOn(store: Store): BillingCycles {
  const known = new KnownKeys(new ApiKeyRepository(store));
  const { logger } = createLogging({ logLevel: 'silent' });
  return new BillingCycles(store, new BillingAccounts(store), new Statements(store), known, logger);
}

class Crash extends Error {}

/** The store of a process that is killed at its n-th write: just before it, or before it hears that it was made. */
function mortal(store: Store, lastWrite: number, when: 'before' | 'after'): Store {
  let writes = 0;
  const guard = <T extends object>(port: T, names: string[]): T =>
    new Proxy(port, {
      get(target, name) {
        const method = (target as Record<string | symbol, unknown>)[name];
        if (typeof method !== 'function') return method;
        return async (...args: unknown[]): Promise<unknown> => {
          if (writes >= lastWrite) throw new Crash();
          const fatal = names.includes(String(name)) && ++writes === lastWrite;
          if (fatal && when === 'before') throw new Crash();
          const result: unknown = await method.apply(target, args);
          if (fatal) throw new Crash();
          return result;
        };
      },
    });
  const documents = guard(store.documents, ['put', 'indexAdd']);
  const ledgers = guard(store.ledgers, ['closeCycle', 'expire']);
  return new Proxy(store, {
    get(target, name) {
      if (name === 'ledgers') return ledgers;
      return name === 'documents' ? documents : (Reflect.get(target, name) as unknown);
    },
  });
}

describeStores('billing cycles', (start) => {
  let stage: Stage;
  let keyId: string;
  beforeEach(async () => {
    stage = await start();
    await makeTenant(stage, 'acme');
    keyId = (await makeKey(stage, 'acme')).id;
  });
  afterEach(() => stage.close());

  const allStatements = async (): Promise<Statement[]> => {
    const ids = await stage.store.documents.indexPage(keys.statementIndex('acme'), '', 1000);
    const texts = await Promise.all(ids.map((id) => stage.store.documents.get(keys.statement('acme', id))));
    return texts.flatMap((text) => (text === undefined ? [] : [JSON.parse(text) as Statement]));
  };
  const summary = async (): Promise<Record<string, unknown>> => {
    const answer = await stage.call('GET', '/billing/summary?tenant_id=acme');
    expect(answer.status).toBe(200);
    return answer.body as Record<string, unknown>;
  };

  it('puts every request into exactly one statement while twenty reset at once and requests go on', async () => {
    const senders = Array.from({ length: 4 }, async () => {
      for (let i = 0; i < 50; i++) await traffic(stage.store, 'acme', { keyId, count: 3 });
    });
    const resets = Array.from({ length: 20 }, () => stage.call('POST', '/billing/reset?tenant_id=acme'));
    const answers = await Promise.all(resets);
    await Promise.all(senders);

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const statements = await allStatements();
    const cycles = statements.map(({ cycle }) => cycle);
    expect(cycles).toEqual(cycles.map((_, index) => index + 1));
    expect(new Set(answers.map(({ body }) => (body as Statement).cycle))).toEqual(new Set(cycles));
    const { cycle, total_requests } = await summary();
    expect(cycle).toBe(cycles.length + 1);
    expect(unitsOf(statements) + Number(total_requests)).toBe(4 * 50 * 3);
    for (const [index, { openedAt }] of statements.entries())
      expect(openedAt).toBe(index === 0 ? new Date(0).toISOString() : statements[index - 1]?.closedAt);
  });

  it('gives two who close the same cycle the same statement, and the next one another', async () => {
    await traffic(stage.store, 'acme', { keyId, count: 7 });
    const [one, other] = [cyclesOn(stage.store), cyclesOn(stage.store)];
    const [first, second] = await Promise.all([one.close('acme'), other.close('acme')]);
    expect([first.cycle, second.cycle]).toContain(1);
    if (first.cycle === second.cycle) expect(second).toEqual(first);
    await traffic(stage.store, 'acme', { keyId, count: 5 });
    await one.close('acme');
    expect(unitsOf(await allStatements())).toBe(12);
  });

  describe.each(['before', 'after'] as const)('killed %s a write', (when) => {
    it('leaves a cycle that whoever comes next closes, wherever that was', async () => {
      let survived = false;
      let closed = 0;
      for (let lastWrite = 1; !survived; lastWrite++) {
        expect(lastWrite).toBeLessThan(20);
        await traffic(stage.store, 'acme', { keyId, count: 10 });
        const before = await stage.store.ledgers.openCycle('acme');
        survived = await cyclesOn(mortal(stage.store, lastWrite, when))
          .close('acme')
          .then(() => true)
          .catch((error: unknown) => {
            if (error instanceof Crash) return false;
            throw error;
          });
        await traffic(stage.store, 'acme', { keyId, count: 1 });

        const { cycle, total_requests } = await summary();
        expect(cycle).toBe(await stage.store.ledgers.openCycle('acme'));
        expect([before, before + 1]).toContain(cycle);
        closed += Number(cycle) - before;
        const statements = await allStatements();
        expect(statements.map((statement) => statement.cycle)).toEqual(statements.map((_, i) => i + 1));
        expect(statements).toHaveLength(Number(cycle) - 1);
        expect(unitsOf(statements) + Number(total_requests)).toBe(11 * lastWrite);
      }
      // Some of the deaths came before the cycle was closed, some after.
      expect(closed).toBeGreaterThan(2);
      expect(await stage.store.ledgers.openCycle('acme')).toBe(closed + 1);
    });
  });

  it('closes a cycle of which nothing is known but that the ledger has closed it', async () => {
    const { store } = stage;
    await traffic(store, 'acme', { keyId, count: 7 });
    await store.ledgers.closeCycle('acme', 1);
    await store.ledgers.closeCycle('acme', 2);
    await Promise.all(Array.from({ length: 5 }, () => cyclesOn(store).current('acme')));
    expect(await allStatements()).toMatchObject([
      { cycle: 1, total: '0.007', lines: [{ keyId, requests: 7 }] },
      { cycle: 2, total: '0', lines: [] },
    ]);
    const { body } = await stage.call('GET', '/billing/statements?tenant_id=acme');
    expect(body).toMatchObject({ statements: [{ cycle: 1 }, { cycle: 2 }] });
  });

  it('ends a cycle that was found half closed when it was closed, not when it was found', async () => {
    const { store } = stage;
    await traffic(store, 'acme', { keyId });
    await cyclesOn(store).close('acme');
    const text = (await store.documents.get(keys.tenantBilling('acme'))) ?? '';
    const closingAt = '2099-01-01T00:00:00.000Z';
    await store.documents.put(
      keys.tenantBilling('acme'),
      JSON.stringify({ ...JSON.parse(text), closingAt }),
      'any',
    );
    expect(await store.ledgers.closeCycle('acme', 2)).toBe(true);

    expect(await summary()).toMatchObject({ cycle: 3, opened_at: closingAt });
    expect((await allStatements()).map(({ closedAt }) => closedAt)[1]).toBe(closingAt);
  });

  it('goes on with the ledger where that has forgotten that cycles were closed', async () => {
    const { store } = stage;
    for (let i = 0; i < 3; i++) await cyclesOn(store).close('acme');
    await store.ledgers.drop('acme');
    await traffic(store, 'acme', { keyId, count: 2 });
    expect(await summary()).toMatchObject({ cycle: 4 });
    expect(await store.ledgers.openCycle('acme')).toBe(4);
    expect(stage.lines()).toContainEqual(
      expect.objectContaining({ tenantId: 'acme', open: 1, level: 'warn' }),
    );
    expect(await allStatements()).toHaveLength(3);
  });

  it('never hands out a statement that somebody has changed, and never changes one', async () => {
    const { store } = stage;
    await traffic(store, 'acme', { keyId, count: 1000 });
    const { body } = await stage.call('POST', '/billing/reset?tenant_id=acme');
    const { id } = body as Statement;
    const key = keys.statement('acme', id);
    const text = (await store.documents.get(key)) ?? '';
    await new Statements(store).issue({ ...(body as Statement), total: '0' });
    expect(await store.documents.get(key)).toBe(text);

    await stage.foreignSet(key, text.replace('"total": "1"', '"total": "2"'));
    expect(await store.documents.get(key)).not.toBe(text);
    for (const path of [
      `/billing/statements/${id}?tenant_id=acme`,
      `/admin/tenants/acme/billing/statements/${id}`,
    ])
      expect((await stage.call('GET', path)).status).toBe(500);
  });
});
