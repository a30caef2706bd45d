import { resolve } from 'node:path';
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
