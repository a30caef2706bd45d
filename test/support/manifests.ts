import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { PodSpec } from 'kubernetes-types/core/v1';
import { parseAllDocuments } from 'yaml';
import { skipUnless } from './skip';

const DEPLOY = resolve(__dirname, '../../deploy');

/** Set by `npm test`; see scripts/kubernetes-tools.mjs. */
const kubectl = process.env.TEST_KUBECTL;
const helm = process.env.TEST_HELM;

/** `describe` for suites that render manifests. */
export const describeManifests = skipUnless(
  !!kubectl && !!helm,
  process.env.TEST_KUBERNETES_TOOLS ?? 'no kubectl and helm',
);

export const OVERLAYS = ['dev', 'production', 'edge'] as const;
export type Overlay = (typeof OVERLAYS)[number];

/** A Kubernetes object of any kind. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each kind has a shape of its own; see manifest-types.ts
  spec?: any;
  data?: Record<string, string>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [field: string]: any;
}

/** What `kubectl apply -k deploy/kubernetes/<path>` would send. */
export function kustomized(path: string): Manifest[] {
  return rendered(kubectl, ['kustomize', resolve(DEPLOY, 'kubernetes', path)]);
}

/** What `helm install gatehouse deploy/helm/gatehouse -n gatehouse -f values-<overlay>.yaml` would send. */
export function chart(overlay: Overlay): Manifest[] {
  const folder = resolve(DEPLOY, 'helm/gatehouse');
  const values = resolve(folder, `values-${overlay}.yaml`);
  return rendered(helm, ['template', 'gatehouse', folder, '--namespace', 'gatehouse', '--values', values]);
}

function rendered(program: string | undefined, args: string[]): Manifest[] {
  if (!program || !existsSync(program)) throw new Error('wrap the suite in describeManifests');
  const options = { encoding: 'utf8', maxBuffer: 64e6, stdio: 'pipe' } as const;
  return parseAllDocuments(execFileSync(program, args, options))
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.filter((each) => each.kind === kind && nameOf(each) === name);
  if (found.length !== 1) throw new Error(`${found.length} of ${kind}/${name}`);
  return found[0]!;
}

/** Without the digest that kustomize adds to the names of generated objects. */
export function nameOf({ kind, metadata }: Manifest): string {
  return kind === 'ConfigMap' || kind === 'Secret'
    ? metadata.name.replace(/-[a-z0-9]{10}$/, '')
    : metadata.name;
}

/** Of something whose fields are looked at because they have to be there. */
export type Whole<T> = T extends object ? { [K in keyof T]-?: Whole<T[K]> } : T;

/** What a workload makes. */
export interface Pod {
  name: string;
  labels: Record<string, string>;
  spec: PodSpec;
}

/** The pods that a set of manifests makes, by the workload that makes them. */
export function podsOf(manifests: readonly Manifest[]): Pod[] {
  return manifests
    .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
    .map(({ metadata, spec }) => ({
      name: metadata.name,
      labels: spec.template.metadata.labels,
      spec: spec.template.spec,
    }));
}
