import { checkControlTokens } from './control-tokens';

const TOKEN = 'a-token-of-some-length';

describe('the token of those who scrape', () => {
  it.each<[METRICS_TOKEN: string, production: boolean, problems: string[]]>([
    [TOKEN, true, []],
    ['short', false, []],
    ['short', true, ['METRICS_TOKEN must have at least 16 characters in production']],
    ['changeme', true, ['METRICS_TOKEN is a sample value: choose a secret one']],
    ['two words', false, ['METRICS_TOKEN must be printable ASCII without spaces']],
    // In development too: whoever tries it there deploys it like that.
    [
      'the-token-of-the-owner',
      false,
      ['METRICS_TOKEN must not be the ADMIN_TOKEN: it would open everything'],
    ],
  ])('%s, in production: %s', (METRICS_TOKEN, production, expected) => {
    const problems: string[] = [];
    checkControlTokens({ ADMIN_TOKEN: 'the-token-of-the-owner', METRICS_TOKEN }, production, problems);
    expect(problems).toEqual(expected);
  });

  it('may be there without the other, and be left out', () => {
    const problems: string[] = [];
    checkControlTokens({ ADMIN_TOKEN: undefined, METRICS_TOKEN: TOKEN }, true, problems);
    checkControlTokens({ ADMIN_TOKEN: undefined, METRICS_TOKEN: undefined }, true, problems);
    expect(problems).toEqual([]);
  });
});
