import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { GatewayError } from '#libs/errors';
import { passGuards } from './pass-guards';

/** Guards that answer as they are told, and which of them were asked. */
function guards(...verdicts: unknown[]): { all: CanActivate[]; asked: number[] } {
  const asked: number[] = [];
  const all = verdicts.map((verdict, i) => ({
    canActivate: () => {
      asked.push(i);
      if (verdict instanceof Error) throw verdict;
      return verdict;
    },
  }));
  return { all: all as CanActivate[], asked };
}

const pass = async (all: readonly CanActivate[]): Promise<void> => passGuards(all, {} as ExecutionContext);

it('asks them in their order, and answers at once where they do', async () => {
  const { all, asked } = guards(true, true);
  expect(passGuards(all, {} as ExecutionContext)).toBeUndefined();
  expect(asked).toEqual([0, 1]);
  const slow = guards(true, Promise.resolve(true), true);
  await pass(slow.all);
  expect(slow.asked).toEqual([0, 1, 2]);
});

const refusal = new GatewayError('invalid_api_key');

it.each<[what: string, verdict: () => unknown, thrown: unknown]>([
  ['throws', () => refusal, refusal],
  ['rejects', () => Promise.reject(refusal), refusal],
  ['says no', () => false, /has not let the request pass/],
  ['says no after a while', () => Promise.resolve(false), /has not let the request pass/],
  ['says nothing', () => undefined, /has not let the request pass/],
  [
    'answers with a thenable of another kind',
    () => ({ then: () => undefined }),
    /has not let the request pass/,
  ],
])('lets nobody pass where one %s, and asks no further one', async (_, verdict, thrown) => {
  const { all, asked } = guards(true, verdict(), true);
  await expect(pass(all)).rejects.toThrow(thrown as Error);
  expect(asked).toEqual([0, 1]);
});
