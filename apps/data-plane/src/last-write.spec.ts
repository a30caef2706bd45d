import { atEndOfTurn } from './last-write';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function setUp() {
  const ended: string[] = [];
  const ends = (name: string): void => atEndOfTurn({ end: () => void ended.push(name) });
  return { ended, ends };
}

it('ends all in their order, at the end of the turn', () => {
  const { ended, ends } = setUp();
  ['one', 'two', 'three'].forEach(ends);
  expect(ended).toEqual([]);
  jest.runAllTimers();
  expect(ended).toEqual(['one', 'two', 'three']);
});

it('leaves what comes meanwhile to the next turn', () => {
  const { ended, ends } = setUp();
  atEndOfTurn({ end: () => ends('later') });
  ends('now');
  jest.advanceTimersToNextTimer();
  expect(ended).toEqual(['now']);
  jest.advanceTimersToNextTimer();
  expect(ended).toEqual(['now', 'later']);
});

it('does not lose the others where one cannot be ended', () => {
  const { ended, ends } = setUp();
  const breaks = (name: string): void =>
    atEndOfTurn({
      end: () => {
        throw new Error(name);
      },
    });
  ends('one');
  breaks('two');
  ends('three');
  breaks('four');
  ends('five');
  for (const name of ['two', 'four']) expect(() => jest.runAllTimers()).toThrow(name);
  jest.runAllTimers();
  expect(ended).toEqual(['one', 'three', 'five']);
});
