// `npm run rehearse`: the Deployments of deploy/kubernetes/overlays/production as processes of this machine, a Service
// before the data planes, Redis, Prometheus with the rules, clients without a pause; then a rolling update. Prints what
// became of the requests and what the autoscaler would see, and fails if a single request did. With `--break drain`, `probes`,
// `grace` or `all` something is taken out of the manifests first, and it fails if no request did.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DockerfileParser } from 'dockerfile-ast';
import { parse, parseAllDocuments } from 'yaml';
import { kubernetesTools } from '../../scripts/kubernetes-tools.mjs';
import { prepare } from '../../scripts/prepare.mjs';
import { redisEnvironment } from '../../scripts/redis-server.mjs';
import { BREAKAGES } from './breakages.mjs';
import { startLoad } from './load.mjs';
import { Processes, freePort, pause, until } from './processes.mjs';
import { Prometheus } from './prometheus.mjs';
import { Replicas } from './replicas.mjs';
import { LATENESS_MS, Service } from './service.mjs';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const OVERLAY = path.join(ROOT, 'deploy/kubernetes/overlays/production');
const SECRETS = {
  ADMIN_TOKEN: 'rehearsal-owner-token-0123456789abcdef',
  METRICS_TOKEN: 'rehearsal-metrics-token-0123456789abcdef',
  GATEWAY_JWT_SECRET: 'rehearsal-signing-secret-0123456789abcdef',
};
/** Fewer replicas than the manifests ask for: this machine has few cores. */
const { values: flags, positionals } = parseArgs({
  options: { break: { type: 'string' } },
  allowPositionals: true,
});
const MAX_REPLICAS = Number(positionals[0] ?? 2);
const say = (line) => process.stderr.write(`rehearsal: ${line}\n`);
if (flags.break === 'all') process.exit(breakEverything());
if (flags.break !== undefined && !Object.hasOwn(BREAKAGES, flags.break)) {
  say(`--break knows ${Object.keys(BREAKAGES).join(', ')} and all`);
  process.exit(2);
}

const processes = new Processes();
let failure;
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => void processes.close().then(() => process.exit(130)));
processes.onDeath = ({ name, exit }) => fail(`${name} ended by itself (${exit})`);
try {
  const report = flags.break === undefined ? await rehearse() : await rehearseBroken(flags.break);
  process.stdout.write(`${JSON.stringify(report)}\n`);
} catch (error) {
  say(error.message);
  process.exitCode = 1;
} finally {
  await processes.close();
}
process.exit();

function fail(reason) {
  failure ??= new Error(reason);
  say(reason);
}

/** One after the other, each in a process of its own. @returns an exit code */
function breakEverything() {
  const script = fileURLToPath(import.meta.url);
  const codes = Object.keys(BREAKAGES).map((name) => {
    const args = [script, String(MAX_REPLICAS), '--break', name];
    return spawnSync(process.execPath, args, { stdio: 'inherit' }).status;
  });
  return codes.every((code) => code === 0) ? 0 : 1;
}

/** Something has to fail: else the rehearsal would not see it either if it were missing by mistake. */
async function rehearseBroken(name) {
  const { what, take } = BREAKAGES[name];
  await prepare({ dev: true });
  const manifests = render();
  take(manifests);
  const { data, url, key, close } = await setUp(manifests);
  const stop = startLoad(url, { 'X-API-Key': key });
  say(`rolling update without ${what}`);
  await data.roll(() => undefined);
  // Until everybody has learnt that the old pod is gone.
  await pause(LATENESS_MS + 500);
  const outcomes = await stop();
  close();
  if (failure) throw failure;
  const failed = Object.entries(outcomes)
    .filter(([outcome]) => outcome !== '200')
    .reduce((sum, [, count]) => sum + count, 0);
  if (failed === 0) throw new Error(`no request failed without ${what}`);
  return { broken: name, failed, outcomes };
}

async function rehearse() {
  await prepare({ dev: true });
  const manifests = render();
  const prometheus = Prometheus.find() ? new Prometheus() : undefined;
  if (prometheus) await prometheus.start(processes, { root: ROOT, metricsToken: SECRETS.METRICS_TOKEN });
  const { data, control, url, key, close } = await setUp(manifests);
  const watch = () => prometheus?.watch([...data.targets(), ...control.targets()]);
  watch();

  const stop = startLoad(url, { 'X-API-Key': key });
  const hpa = prometheus ? await autoscalerSees(prometheus, manifests) : 'no prometheus on PATH';
  say('rolling update');
  const startedAt = Date.now();
  await data.roll(watch);
  const outcomes = await stop();
  const seconds = (Date.now() - startedAt) / 1000;
  const rules = prometheus ? (await prometheus.rules()).map(({ name, health }) => `${name} ${health}`) : [];
  close();
  if (failure) throw failure;
  return { replicas: data.pods.length, replaced: data.exits, seconds, outcomes, hpa, rules };
}

/** Everything but Prometheus, until a request is answered. */
async function setUp(manifests) {
  const redisPort = await startRedis();
  const upstream = await startUpstream();
  const context = { ...contextOf(manifests, redisPort), maxReplicas: MAX_REPLICAS, say };
  const data = new Replicas(manifests, 'gatehouse-data-plane', context);
  const control = new Replicas(manifests, 'gatehouse-control-plane', context);
  const service = new Service(data.pods);
  await Promise.all([data.scale(), control.scale()]);
  const key = await addTenant(control.pods[0].port, upstream);
  const url = `http://127.0.0.1:${await service.listen()}/api/x`;
  await until('the first answer', () => service.endpoints === data.pods.length && serves(url, key), 10_000);
  const close = () => {
    service.close();
    upstream.server.close();
  };
  return { data, control, url, key, close };
}

function render() {
  const { TEST_KUBECTL, TEST_KUBERNETES_TOOLS } = kubernetesTools({ fetch: true });
  if (!TEST_KUBECTL) throw new Error(TEST_KUBERNETES_TOOLS);
  const text = execFileSync(TEST_KUBECTL, ['kustomize', OVERLAY], { encoding: 'utf8', maxBuffer: 64e6 });
  return parseAllDocuments(text).map((document) => document.toJS());
}

function contextOf(manifests, redisPort) {
  const dockerfile = fs.readFileSync(path.join(ROOT, 'deploy/docker/Dockerfile'), 'utf8');
  const entrypoint = DockerfileParser.parse(dockerfile)
    .getInstructions()
    .find((instruction) => instruction.getKeyword() === 'ENTRYPOINT');
  return {
    processes,
    root: ROOT,
    image: JSON.parse(entrypoint.getArgumentsContent()),
    configMap: (name) =>
      manifests.find((one) => one.kind === 'ConfigMap' && one.metadata.name === name)?.data,
    secret: ({ key, optional }) => {
      if (SECRETS[key] === undefined && !optional) throw new Error(`no secret ${key}`);
      return SECRETS[key];
    },
    // One Redis in the place of the Sentinels; the upstream of the rehearsal is on this machine.
    environment: {
      REDIS_URL: `redis://127.0.0.1:${redisPort}`,
      REDIS_SENTINELS: '',
      REDIS_SENTINEL_PASSWORD: '',
      ALLOW_PRIVATE_UPSTREAMS: 'true',
    },
    failed: fail,
  };
}

async function startRedis() {
  const { TEST_REDIS_SERVER, TEST_REDIS_LIBS } = await redisEnvironment({ fetch: true });
  const port = await freePort();
  const env = { ...process.env, ...(TEST_REDIS_LIBS ? { LD_LIBRARY_PATH: TEST_REDIS_LIBS } : {}) };
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', processes.folder];
  processes.start('redis', TEST_REDIS_SERVER, args, { env });
  return port;
}

function startUpstream() {
  // Slow enough that requests are under way whenever somebody looks.
  const server = http.createServer((request, response) => setTimeout(() => response.end('ok'), 20));
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve({ server, url: `http://127.0.0.1:${server.address().port}` }),
    );
  });
}

async function addTenant(port, upstream) {
  const post = async (place, body) => {
    const headers = { 'X-Admin-Token': SECRETS.ADMIN_TOKEN, 'Content-Type': 'application/json' };
    const options = { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${port}${place}`, options);
    if (!response.ok) throw new Error(`${place}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const rateLimit = { windowSeconds: 1, maxRequests: 1_000_000 };
  const tenant = { id: 'rehearsal', name: 'Rehearsal', upstreamBaseUrl: upstream.url, rateLimit };
  await post('/admin/tenants', { ...tenant, allowedRoutes: [{ path: '/' }] });
  return (await post('/admin/tenants/rehearsal/api-keys', { name: 'load' })).key;
}

async function serves(url, key) {
  const response = await fetch(url, { headers: { 'X-API-Key': key } }).catch(() => undefined);
  return response?.ok;
}

/** The metric that the HorizontalPodAutoscaler names, asked for as prometheus-adapter asks. */
async function autoscalerSees(prometheus, manifests) {
  const { metrics } = manifests.find(({ kind }) => kind === 'HorizontalPodAutoscaler').spec;
  const { name } = metrics.find(({ type }) => type === 'Pods').pods.metric;
  const { rules } = parse(fs.readFileSync(path.join(ROOT, 'deploy/prometheus/adapter.yaml'), 'utf8'));
  const rule = rules.custom.find(({ seriesQuery }) => seriesQuery.startsWith(`${name}{`));
  if (!rule) throw new Error(`deploy/prometheus/adapter.yaml does not serve ${name}`);
  const query = rule.metricsQuery
    .replaceAll('<<.Series>>', name)
    .replaceAll('<<.LabelMatchers>>', 'namespace="gatehouse",pod=~"gatehouse-data-plane-.*"')
    .replaceAll('<<.GroupBy>>', 'pod');
  return until(`${name} of the pods in Prometheus`, async () => {
    const found = await prometheus.query(query);
    return found.some(({ value }) => value > 0) && { metric: name, pods: found };
  });
}
