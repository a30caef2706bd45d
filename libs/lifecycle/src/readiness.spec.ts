import { Readiness } from './readiness';

const mark = { ready: (r: Readiness) => r.markReady(), draining: (r: Readiness) => r.markDraining() };

it.each<[marks: Array<keyof typeof mark>, state: string]>([
  [[], 'starting'],
  [['ready'], 'ready'],
  [['ready', 'ready'], 'ready'],
  [['draining'], 'draining'],
  [['ready', 'draining'], 'draining'],
  [['draining', 'ready'], 'draining'],
])('after %j it is %s', (marks, state) => {
  const readiness = new Readiness();
  for (const name of marks) mark[name](readiness);
  const { ready, draining } = readiness;
  expect({ state: readiness.state, ready, draining }).toEqual({
    state,
    ready: state === 'ready',
    draining: state === 'draining',
  });
});
