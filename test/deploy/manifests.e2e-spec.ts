import { createHash } from 'node:crypto';
import type { Container, PodSpec } from 'kubernetes-types/core/v1';
import { loadConfig } from '#libs/config';
import { typeProblems } from '../support/manifest-types';
import {
  OVERLAYS,
  chart,
  describeManifests,
  find,
  kustomized,
  nameOf,
  podsOf,
  type Manifest,
  type Whole,
} from '../support/manifests';
import { fits, letsIn, podSecurityProblems } from '../support/kube-policy';

const DATA = { 'app.kubernetes.io/name': 'gatehouse', 'app.kubernetes.io/component': 'data-plane' };
const CONTROL = { ...DATA, 'app.kubernetes.io/component': 'control-plane' };
const REDIS = { 'app.kubernetes.io/name': 'gatehouse-redis' };
const STRANGER = { labels: { app: 'stranger' } };

describeManifests('the manifests of deploy/kubernetes', () => {
  const overlays = Object.fromEntries(OVERLAYS.map((name) => [name, kustomized(`overlays/${name}`)]));
  const sets: Record<string, Manifest[]> = { ...overlays, 'redis-sentinel': kustomized('redis-sentinel') };
  const each = Object.entries(sets);

  it('are what the Kubernetes API knows: no field that it would drop, none missing, none of the wrong kind', () => {
    expect(typeProblems(Object.values(sets).flat())).toEqual([]);
    const [deployment] = sets.dev!.filter(({ kind }) => kind === 'Deployment');
    const spec = { ...deployment!.spec, replica: 1, minReadySeconds: '5' };
    expect(typeProblems([{ ...deployment!, spec }])).toHaveLength(1);
  });

  it.each(each)('%s: pods meet the restricted Pod Security Standard, and more', (_name, manifests) => {
    expect(podSecurityProblems(manifests)).toEqual([]);
    const broken = structuredClone(manifests);
    podsOf(broken)[0]!.spec.containers[0]!.securityContext!.readOnlyRootFilesystem = false;
    expect(podSecurityProblems(broken)).toHaveLength(1);
  });

  it.each(each)('%s: whatever is named is there', (_name, manifests) => {
    expect(danglingNames(manifests)).toEqual([]);
  });

  it.each(each)(
    '%s: selectors find the pods that they are for, and their namespace is one',
    (name, manifests) => {
      const pods = podsOf(manifests);
      const selecting = manifests.filter(({ kind }) => kind === 'Service' || kind === 'PodDisruptionBudget');
      for (const { spec, metadata } of selecting) {
        const found = pods.filter(({ labels }) => fits(spec.selector.matchLabels ?? spec.selector, labels));
        expect([metadata.name, found.map((pod) => pod.name)]).toEqual([metadata.name, [metadata.name]]);
      }
      const namespaces = manifests
        .filter(({ kind }) => kind !== 'Namespace')
        .map((one) => one.metadata.namespace);
      expect([name, ...new Set(namespaces)]).toEqual([name, 'gatehouse']);
    },
  );

  it.each(OVERLAYS)(
    '%s: every process takes its settings, and a pod lives longer than its shutdown',
    (overlay) => {
      for (const { name, spec } of podsOf(sets[overlay]!).filter((pod) => !pod.name.endsWith('redis'))) {
        const config = loadConfig({ ...environmentOf(sets[overlay]!, spec), CONFIG_DIR: undefined });
        const { terminationGracePeriodSeconds } = spec as Whole<PodSpec>;
        const container = spec.containers[0] as Whole<Container>;
        const port = name.endsWith('control-plane') ? config.adminPort : config.port;
        expect(container.ports).toEqual([{ name: 'http', containerPort: port }]);
        expect(container.args).toEqual([name.replace('gatehouse-', '')]);
        expect(config.redis).toBeDefined();
        // What opens everything is where it is needed only.
        expect([config.metricsToken === undefined, config.adminToken === undefined]).toEqual([
          false,
          !name.endsWith('control-plane'),
        ]);
        const longest = container.lifecycle.preStop.sleep.seconds * 1000 + config.shutdownTimeoutMs;
        expect(terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(longest + 5000);
        // Readiness fails and is noticed while the listener is still open.
        const { periodSeconds, failureThreshold } = container.readinessProbe;
        expect(config.shutdownDelayMs).toBeGreaterThan(periodSeconds * failureThreshold * 1000);
        expect(config.shutdownTimeoutMs).toBeGreaterThan(2 * config.shutdownDelayMs);
      }
    },
  );

  it.each(OVERLAYS)('%s: a new pod is ready before an old one goes', (overlay) => {
    for (const { spec } of sets[overlay]!.filter(({ kind }) => kind === 'Deployment'))
      expect(spec.strategy).toEqual({
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
      });
    const { spec } = find(sets[overlay]!, 'HorizontalPodAutoscaler', 'gatehouse-data-plane');
    expect(find(sets[overlay]!, 'Deployment', spec.scaleTargetRef.name).spec.replicas).toBeUndefined();
  });

  it.each<
    [
      who: string,
      labels: Record<string, string>,
      port: number,
      caller: Parameters<typeof letsIn>[3],
      allowed: boolean,
    ]
  >([
    ['the ingress controller', DATA, 3000, { ...STRANGER, namespace: 'ingress-nginx' }, true],
    ['Prometheus', DATA, 3000, { ...STRANGER, namespace: 'monitoring' }, true],
    ['a pod beside it', DATA, 3000, STRANGER, false],
    ['a pod elsewhere', DATA, 3000, { ...STRANGER, namespace: 'default' }, false],
    ['the ingress controller', DATA, 9229, { ...STRANGER, namespace: 'ingress-nginx' }, false],
    ['Prometheus', CONTROL, 3001, { ...STRANGER, namespace: 'monitoring' }, true],
    ['the ingress controller', CONTROL, 3001, { ...STRANGER, namespace: 'ingress-nginx' }, false],
    ['a data plane', CONTROL, 3001, { labels: DATA }, false],
    ['an administrator’s pod', CONTROL, 3001, { labels: { 'gatehouse/admin': 'true' } }, true],
    [
      'one of another namespace',
      CONTROL,
      3001,
      { labels: { 'gatehouse/admin': 'true' }, namespace: 'default' },
      false,
    ],
    ['a data plane', REDIS, 6379, { labels: DATA }, true],
    ['a pod beside it', REDIS, 6379, STRANGER, false],
  ])('NetworkPolicy: %s to %j port %i', (_who, labels, port, caller, allowed) => {
    expect(letsIn(sets.dev!, labels, port, caller)).toBe(allowed);
    if (labels !== REDIS) expect(letsIn(sets.production!, labels, port, caller)).toBe(allowed);
  });

  it('NetworkPolicy: without the policies everybody would be let in, and a selector too many shows', () => {
    const open = sets.production!.filter(({ kind }) => kind !== 'NetworkPolicy');
    expect(letsIn(open, CONTROL, 3001, STRANGER)).toBe(true);
    const wider = structuredClone(sets.production!);
    const { spec } = find(wider, 'NetworkPolicy', 'gatehouse-control-plane');
    (spec.ingress as Array<{ from: object[] }>)[0]!.from.push({
      podSelector: { matchLabels: STRANGER.labels },
    });
    expect(letsIn(wider, CONTROL, 3001, STRANGER)).toBe(true);
    expect(letsIn(sets.production!, CONTROL, 3001, STRANGER)).toBe(false);
  });

  it('nobody is sent to the metadata service of a cloud', () => {
    for (const { spec } of sets.production!.filter(({ kind }) => kind === 'NetworkPolicy'))
      for (const { to } of spec.egress ?? [])
        for (const { ipBlock } of to) if (ipBlock) expect(ipBlock.except).toContain('169.254.0.0/16');
  });

  it.each(['production', 'edge'])(
    '%s: Prometheus scrapes with a token that opens nothing else',
    (overlay) => {
      const { spec } = find(sets[overlay]!, 'ServiceMonitor', 'gatehouse');
      for (const { authorization } of spec.endpoints as Array<{ authorization: object }>)
        expect(authorization).toEqual({
          type: 'Bearer',
          credentials: { name: 'gatehouse-secrets', key: 'METRICS_TOKEN' },
        });
      // Every process that it scrapes takes it from there.
      const pods = podsOf(sets[overlay]!).filter(({ name }) => name.endsWith('-plane'));
      expect(pods.length).toBeGreaterThan(0);
      for (const { spec: pod } of pods)
        expect(pod.containers[0]!.env!.map(({ valueFrom }) => valueFrom?.secretKeyRef?.key)).toContain(
          'METRICS_TOKEN',
        );
    },
  );

  it('secrets are in the development overlay only', () => {
    for (const name of ['production', 'edge', 'redis-sentinel'])
      expect(sets[name]!.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    const settings = Object.values(sets).flatMap((set) => set.filter((one) => one.kind === 'ConfigMap'));
    for (const { data } of settings)
      expect(Object.keys(data ?? {}).filter((name) => /SECRET|TOKEN|PASSWORD/.test(name))).toEqual([]);
  });

  describe('and the Helm chart', () => {
    it.each(OVERLAYS)('%s: are the same objects', (overlay) => {
      expect(comparable(chart(overlay))).toEqual(comparable(sets[overlay]!));
    });
  });
});

/** The environment that a pod's first container would have, with any text for what a vault holds. */
function environmentOf(manifests: readonly Manifest[], spec: PodSpec): Record<string, string> {
  const container = spec.containers[0] as Whole<Container>;
  const source = container.envFrom[0]!.configMapRef.name;
  const settings = manifests.find(({ metadata }) => metadata.name === source);
  const own = (container.env as Array<{ name: string; value: string | undefined }>).map(({ name, value }) => [
    name,
    value ?? createHash('sha256').update(name).digest('hex'),
  ]);
  return { ...settings!.data, ...(Object.fromEntries(own) as Record<string, string>) };
}

/** ConfigMaps, Secrets, ServiceAccounts, Services that are named and neither there, optional, nor somebody else's to make. */
function danglingNames(manifests: readonly Manifest[]): string[] {
  const there = new Set(manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  for (const { kind, spec } of manifests)
    if (kind === 'ExternalSecret') there.add(`Secret/${spec.target.name}`);
  const named: string[] = [];
  const name = (kind: string, ref: { name?: string; secretName?: string; optional?: boolean }): void =>
    void (ref.optional || named.push(`${kind}/${ref.name ?? ref.secretName}`));
  for (const { spec } of podsOf(manifests)) {
    if (spec.serviceAccountName) name('ServiceAccount', { name: spec.serviceAccountName });
    for (const volume of spec.volumes ?? []) if (volume.configMap) name('ConfigMap', volume.configMap);
    for (const { envFrom = [], env = [] } of spec.containers) {
      for (const { configMapRef, secretRef } of envFrom)
        name(configMapRef ? 'ConfigMap' : 'Secret', configMapRef ?? secretRef ?? {});
      for (const { valueFrom } of env) if (valueFrom?.secretKeyRef) name('Secret', valueFrom.secretKeyRef);
    }
  }
  for (const { kind, spec } of manifests) {
    if (kind === 'Ingress') name('Service', spec.rules[0].http.paths[0].backend.service);
    if (kind === 'StatefulSet') name('Service', { name: spec.serviceName });
  }
  // The Sentinels' password is that of Gatehouse, whose Secret it is.
  const others = manifests.some(({ kind }) => kind === 'ServiceAccount') ? [] : ['Secret/gatehouse-secrets'];
  return [...new Set(named)].filter((one) => !there.has(one) && !others.includes(one));
}

/** What must be the same, whoever renders it: without digests in names, and what Helm says about itself. */
function comparable(manifests: readonly Manifest[]): Record<string, unknown> {
  const text = (manifest: Manifest): unknown => {
    const copy = JSON.parse(
      JSON.stringify(manifest).replace(/"(gatehouse-(?:settings|secrets))-[a-z0-9]{10}"/g, '"$1"'),
    ) as Manifest;
    delete copy.metadata.labels?.['helm.sh/chart'];
    delete copy.metadata.labels?.['app.kubernetes.io/managed-by'];
    delete copy.spec?.template?.metadata?.annotations;
    return copy;
  };
  const own = manifests.filter(({ kind }) => kind !== 'Namespace');
  return Object.fromEntries(own.map((manifest) => [`${manifest.kind}/${nameOf(manifest)}`, text(manifest)]));
}
