import { resolve } from 'node:path';
import { freePort, scratchFolder, startChild, waitFor } from '../support/children';
import { startProcess } from '../support/process';
import { gatehouse } from './command-line';

const LAUNCHER = resolve(__dirname, '../../bin/gatehouse.js');

describe('gatehouse serve', () => {
  it('runs the gateway until it is told to stop, and is found by the commands with the token it made', async () => {
    const gateway = await startProcess({ entry: LAUNCHER, args: ['serve'] });
    const env = { GATEHOUSE_URL: gateway.adminUrl, DATA_DIR: gateway.dataDir };
    expect(await gatehouse(['health', '--json'], { env })).toMatchObject({ code: 0 });
    expect(await gateway.stop('SIGTERM')).toBe(0);
    expect(gateway.otherOutput).toEqual([]);
    expect((await gatehouse(['ping'], { env })).code).toBe(3);
  });

  it('stops when the shell that npx runs it in is told to, though that passes nothing on', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    // Something after it, so that the shell stays between us, as that of npx does.
    const shell = await startChild('sh', ['-c', `"${process.execPath}" "${LAUNCHER}" serve; exit`], {
      env: {
        PATH: process.env.PATH,
        npm_command: 'exec',
        HOST: '127.0.0.1',
        PORT: String(port),
        DATA_DIR: scratchFolder('data'),
        LOG_LEVEL: 'silent',
        NODE_ENV: 'test',
      },
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    const answers = async (): Promise<boolean> => (await gatehouse(['ping', '--url', url])).code === 0;
    await waitFor('the gateway to answer', answers, 10_000);
    await shell.end('SIGTERM');
    await waitFor('the gateway to end', async () => !(await answers()), 10_000);
  });

  it('ends with the exit code of a gateway that cannot start', async () => {
    const gateway = await startProcess({
      entry: LAUNCHER,
      args: ['serve'],
      env: { PORT: 'many' },
      until: 'spawned',
    });
    expect(await gateway.exited).toMatchObject({ code: 78 });
    expect(gateway.stderr()).toMatch(/^gatehouse: PORT must be .*\n$/);
  });
});
