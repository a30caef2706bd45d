import type { Manifest } from './manifests';
import { podsOf } from './manifests';

/**
 * What of a set of pods the "restricted" Pod Security Standard refuses, and what it lets pass that we do not:
 * a writable root file system, a mounted token, a container without bounds.
 * https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */
export function podSecurityProblems(manifests: readonly Manifest[]): string[] {
  return podsOf(manifests).flatMap(({ name, spec }) => {
    const problems: string[] = [];
    const demand = (holds: boolean, what: string): void => void (holds || problems.push(`${name}: ${what}`));
    const pod = spec.securityContext ?? {};
    demand(pod.runAsNonRoot === true && (pod.runAsUser ?? 0) > 0, 'runs as root');
    demand(pod.seccompProfile?.type === 'RuntimeDefault', 'no seccomp profile');
    demand(!spec.hostNetwork && !spec.hostPID && !spec.hostIPC, 'shares namespaces of the host');
    demand(spec.automountServiceAccountToken === false, 'mounts a token of the Kubernetes API');
    demand(spec.enableServiceLinks === false, 'gets the environment of other services');
    const allowed = ['configMap', 'emptyDir', 'secret', 'projected', 'persistentVolumeClaim'];
    for (const { name: _, ...source } of spec.volumes ?? [])
      demand(allowed.includes(Object.keys(source)[0] ?? ''), `a volume of ${Object.keys(source).join()}`);
    for (const container of spec.containers) {
      const own = container.securityContext ?? {};
      demand(own.allowPrivilegeEscalation === false, 'privileges can be escalated');
      demand(own.privileged !== true, 'is privileged');
      demand(own.readOnlyRootFilesystem === true, 'can write to its root file system');
      demand(JSON.stringify(own.capabilities) === '{"drop":["ALL"]}', 'keeps capabilities');
      demand(!container.ports?.some(({ hostPort }) => hostPort), 'takes ports of the host');
      demand(container.resources?.limits?.memory !== undefined, 'has no bound of memory');
      demand(container.resources?.requests?.cpu !== undefined, 'asks for no CPU');
      demand(/:(?!latest$)[\w.-]+$/.test(container.image ?? ''), 'an image without a version');
    }
    return problems;
  });
}

interface Peer {
  ipBlock?: { cidr: string };
  namespaceSelector?: { matchLabels: Record<string, string> };
  podSelector?: { matchLabels: Record<string, string> };
}

interface Policy {
  podSelector: { matchLabels?: Record<string, string> };
  policyTypes: string[];
  ingress?: Array<{ from: Peer[]; ports: Array<{ port: number }> }>;
}

/** Where somebody connects from. */
export interface Caller {
  /** Absent: the pods' own. */
  namespace?: string;
  labels: Record<string, string>;
}

/** Whether NetworkPolicies let a caller connect to a port of pods with these labels (only what we use of them). */
export function letsIn(
  manifests: readonly Manifest[],
  labels: Record<string, string>,
  port: number,
  caller: Caller,
): boolean {
  const policies = manifests
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map(({ spec }) => spec as Policy)
    .filter(
      ({ policyTypes, podSelector }) =>
        policyTypes.includes('Ingress') && fits(podSelector.matchLabels, labels),
    );
  if (policies.length === 0) return true;
  return policies.some(({ ingress = [] }) =>
    ingress.some(
      ({ from, ports }) =>
        ports.some((each) => each.port === port) && from.some((peer) => isPeer(peer, caller)),
    ),
  );
}

function isPeer({ namespaceSelector, podSelector }: Peer, { namespace, labels }: Caller): boolean {
  if (namespaceSelector)
    return fits(namespaceSelector.matchLabels, { 'kubernetes.io/metadata.name': namespace ?? '' });
  return podSelector !== undefined && namespace === undefined && fits(podSelector.matchLabels, labels);
}

/** Whether labels are what a selector asks for; one without demands fits everything. */
export function fits(selector: Record<string, string> | undefined, labels: Record<string, string>): boolean {
  return Object.entries(selector ?? {}).every(([name, value]) => labels[name] === value);
}
