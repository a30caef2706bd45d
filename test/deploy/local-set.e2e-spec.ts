import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { scratchFolder, startChild, waitFor } from '../support/children';
import { childrenOf } from '../support/process-tree';
import { programOnPath } from '../support/skip';

it('npm run up: a gateway that answers, what watches it, and nothing left after Ctrl-C', async () => {
  const script = resolve(__dirname, '../../deploy/local/up.mjs');
  const child = await startChild(process.execPath, [script, scratchFolder('up')], {
    cwd: scratchFolder('cwd'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.process.stdout!, child.process.stderr!])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await waitFor('the set', () => output.includes('Ctrl-C stops') || child.hasExited(), 60_000);
  const said = (pattern: RegExp): string =>
    pattern.exec(output)?.[1] ?? `nothing like ${pattern}:\n${output}`;

  const gateway = said(/Gateway +(\S+)/);
  const answer = await fetch(`${gateway}/api/hello`, { headers: { 'X-API-Key': said(/X-API-Key: (\S+)'/) } });
  expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ url: '/hello' })]);
  expect(output).toContain(
    programOnPath('nginx') ? 'nginx, in front of two data planes' : 'no nginx on PATH',
  );
  const tenants = await fetch(said(/(http\S+\/admin\/tenants)/), {
    headers: { 'X-Admin-Token': said(/X-Admin-Token: (\S+)'/) },
  });
  expect(tenants.status).toBe(200);
  if (programOnPath('prometheus')) {
    const prometheus = said(/Prometheus +(\S+)\/alerts/);
    const up = async (): Promise<number> => {
      const response = await fetch(`${prometheus}/api/v1/query?query=sum(up)`);
      const { data } = (await response.json()) as { data: { result: Array<{ value: [number, string] }> } };
      return Number(data.result[0]?.value[1] ?? 0);
    };
    await waitFor('three processes in Prometheus', async () => (await up()) === 3, 20_000);
  }

  const logs = said(/Logs +(\S+)/);
  const children = existsSync('/proc/self/stat') ? childrenOf(child.pid) : [];
  expect((await child.end('SIGINT', 30_000)).code).toBe(0);
  expect(existsSync(logs)).toBe(false);
  await waitFor('the end of all of them', () => children.every((pid) => !existsSync(`/proc/${pid}/stat`)));
  await expect(fetch(gateway)).rejects.toThrow();
}, 90_000);
