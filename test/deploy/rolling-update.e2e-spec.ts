import { resolve } from 'node:path';
import { scratchFolder, startChild } from '../support/children';
import { describeManifests } from '../support/manifests';
import { programOnPath, skipUnless } from '../support/skip';

interface Report {
  replaced: Array<number | string>;
  outcomes: Record<string, number>;
  hpa: { metric: string; pods: Array<{ metric: { pod: string }; value: number }> };
  rules: string[];
}

/** What a rehearsal printed. */
async function rehearsed<T>(...args: string[]): Promise<T> {
  const script = resolve(__dirname, '../../deploy/local/rehearse.mjs');
  const child = await startChild(process.execPath, [script, '1', ...args], {
    cwd: scratchFolder('cwd'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Record<'stdout' | 'stderr', string> = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child.process[stream]!.on('data', (chunk: Buffer) => (output[stream] += chunk.toString()));
  const { code } = await child.exited;
  if (code !== 0) throw new Error(output.stderr);
  return JSON.parse(output.stdout) as T;
}

/** `npm run rehearse` with one replica of each Deployment: the surge, the drain and the probes are those of the manifests. */
describeManifests('a rolling update by the rendered manifests', () => {
  let report: Report;
  let broken: { failed: number; outcomes: Record<string, number> };
  beforeAll(async () => {
    // Beside each other: both wait most of the time.
    [report, broken] = await Promise.all([rehearsed<Report>(), rehearsed<typeof broken>('--break', 'drain')]);
  }, 90_000);

  it('fails no request, while clients never wait and never try again', () => {
    expect(Object.keys(report.outcomes)).toEqual(['200']);
    expect(report.outcomes['200']).toBeGreaterThan(100);
    expect(report.replaced).toEqual([0]);
  });

  it('would have shown it: without preStop and the delay that the manifests have, requests fail', () => {
    expect(broken.failed).toBeGreaterThan(0);
    expect(broken.outcomes['200']).toBeGreaterThan(100);
  });

  skipUnless(!!programOnPath('prometheus'), 'no prometheus on PATH')('and Prometheus', () => {
    it('answers what the autoscaler asks for', () => {
      expect(report.hpa.metric).toBe('gateway_inflight_requests');
      const [shown] = report.hpa.pods;
      expect(shown!.metric.pod).toBe('gatehouse-data-plane-0');
      expect(shown!.value).toBeGreaterThan(0);
    });

    it('has loaded and evaluated every rule', () => {
      expect(report.rules.length).toBeGreaterThan(20);
      expect(report.rules.filter((rule) => !rule.endsWith(' ok'))).toEqual([]);
    });
  });
});
