import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { startGateway } from '../support/gateway';
import { skipUnless } from '../support/skip';
import { startUpstream } from '../support/upstream';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

/** Documented names that break Prometheus's conventions and stay, and the defaults of prom-client. */
const KNOWN = [
  'control_latency_ms metric names should not contain abbreviated units',
  "gateway_latency_ms label names should be written in 'snake_case' not 'camelCase'",
  'gateway_latency_ms metric names should not contain abbreviated units',
  "gateway_requests_total label names should be written in 'snake_case' not 'camelCase'",
  "gateway_auth_failures_total label names should be written in 'snake_case' not 'camelCase'",
  "gateway_upstream_latency_ms label names should be written in 'snake_case' not 'camelCase'",
  'gateway_upstream_latency_ms metric names should not contain abbreviated units',
  'nodejs_active_handles_total non-counter metrics should not have "_total" suffix',
  'nodejs_active_requests_total non-counter metrics should not have "_total" suffix',
  'nodejs_active_resources_total non-counter metrics should not have "_total" suffix',
];

skipUnless(hasPromtool, 'promtool is not installed (Debian package prometheus)')(
  'promtool check metrics',
  () => {
    it('complains about nothing but the documented names', async () => {
      const upstream = await startUpstream();
      const gateway = await startGateway();
      const key = await gateway.addTenant({ id: 'acme', upstreamBaseUrl: upstream.url });
      await fetch(`${gateway.url}/api/x`, { headers: { 'X-API-Key': key } });
      await fetch(`${gateway.url}/api/x`);
      const { body } = await gateway.admin('GET', '/metrics');
      const complaints = await promtool(body as string);
      expect(complaints).not.toEqual([]); // It did look at our metrics.
      expect(complaints.filter((line) => !KNOWN.includes(line))).toEqual([]);
      await gateway.close();
      await upstream.stop();
    });
  },
);

async function promtool(metrics: string): Promise<string[]> {
  const child = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdin.end(metrics);
  await once(child, 'close');
  return errors.split('\n').filter((line) => line !== '');
}
