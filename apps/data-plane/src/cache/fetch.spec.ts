import { Fetch, RecordingBudget, type FetchSurroundings } from './fetch';
import { Flights, type Landing } from './flights';
import type { Question } from './question';

/** A request whose client goes when the test says so, and a breaker that is asked meanwhile. */
function stage() {
  const client = { gone: false };
  let decide = (): void => undefined;
  const decided = new Promise<void>((resolve) => (decide = resolve));
  const question = Object.assign(client, {
    context: { upstreamHeaders: [] },
    located: { tenantId: 'acme', key: {}, headers: [] },
    response: {},
  }) as unknown as Question;
  const forwarded: string[] = [];
  const flights = new Flights();
  const house = {
    flights,
    budget: new RecordingBudget(1000, 1),
    store: { shares: false, shelf: () => ({ moment: 0 }) },
    forward() {
      forwarded.push('asked');
      return decided;
    },
    refuse: () => forwarded.push('refused'),
  } as unknown as FetchSurroundings;
  const flight = flights.begin('x');
  const landings: Landing[] = [];
  flight.wait((landing) => landings.push(landing));
  const fetch = new Fetch(question, { stale: undefined, name: 'x', flight }, house);
  return { client, decide, fetch, flights, landings, forwarded };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('those who wait for the answer to somebody else', () => {
  it('ask themselves when the client has gone while a breaker was asked about the target', async () => {
    const { client, decide, fetch, flights, landings } = stage();
    fetch.start();
    await turn();
    expect(landings).toEqual([]);
    client.gone = true;
    decide();
    await turn();
    await turn();
    expect(landings).toEqual([{ kind: 'again' }]);
    expect(flights.find('x')).toBeUndefined();
  });

  it('ask themselves when it has gone before anybody was asked', async () => {
    const { client, fetch, flights, landings, forwarded } = stage();
    client.gone = true;
    fetch.start();
    await turn();
    expect([landings, forwarded, flights.find('x')]).toEqual([[{ kind: 'again' }], [], undefined]);
  });

  it('wait on where it has not', async () => {
    const { decide, fetch, flights, landings, forwarded } = stage();
    fetch.start();
    decide();
    await turn();
    await turn();
    expect([landings, forwarded]).toEqual([[], ['asked']]);
    flights.find('x')?.land({ kind: 'failed' });
  });
});
