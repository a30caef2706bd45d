import { Output } from '../output/output';
import { Session } from '../session';
import { tellWhoFollowed } from './waiting';

describe('a change that was waited for', () => {
  const tell = (answer: Record<string, unknown>): { code: number; said: string } => {
    let said = '';
    const terminal = {
      out: () => undefined,
      err: (text: string) => void (said += text),
      bytes: () => Promise.resolve(),
      interactive: false,
      coloured: false,
      confirm: () => Promise.resolve(false),
    };
    const local = { token: undefined, dataDir: '' };
    const environment = {
      url: '',
      token: undefined,
      local,
      backupPassphrase: undefined,
      colourless: true,
      underNpx: false,
      all: {},
    };
    const session = new Session(environment, terminal);
    tellWhoFollowed(session, new Output(terminal, false), answer);
    return { code: session.exitCode, said };
  };

  it.each([
    [{}, 0, ''],
    [{ confirmed: ['a'], missing: [] }, 0, 'gatehouse: confirmed by 1 replica\n'],
    [{ confirmed: ['a', 'b'], missing: [] }, 0, 'gatehouse: confirmed by 2 replicas\n'],
    // Done, but a replica may still let it through: whoever asked to wait must notice.
    [
      { confirmed: ['a'], missing: ['b', 'c'] },
      1,
      'gatehouse: it is done, but these replicas have not confirmed it: b, c\n',
    ],
  ])('%j', (answer, code, said) => {
    expect(tell(answer)).toEqual({ code, said });
  });
});
