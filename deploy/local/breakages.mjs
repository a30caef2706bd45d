// What can be taken out of the manifests, for `npm run rehearse -- --break`: each has to show as requests that failed, or a
// rehearsal that fails none would prove nothing.

const DATA_PLANE = 'gatehouse-data-plane';

export const BREAKAGES = {
  drain: {
    what: 'preStop and SHUTDOWN_DELAY_MS: a pod that leaves is still sent connections',
    // Either of them is enough by itself.
    take(manifests) {
      delete containerOf(manifests).lifecycle;
      settingsOf(manifests).SHUTDOWN_DELAY_MS = '0';
    },
  },
  probes: {
    what: 'the probes: a pod is sent connections before it listens',
    take(manifests) {
      for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'])
        delete containerOf(manifests)[probe];
    },
  },
  grace: {
    what: 'the grace period: a pod is killed with requests under way',
    take(manifests) {
      podOf(manifests).terminationGracePeriodSeconds = containerOf(manifests).lifecycle.preStop.sleep.seconds;
    },
  },
};

function podOf(manifests) {
  const deployment = manifests.find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === DATA_PLANE,
  );
  return deployment.spec.template.spec;
}

function containerOf(manifests) {
  return podOf(manifests).containers[0];
}

function settingsOf(manifests) {
  const { name } = containerOf(manifests).envFrom.find((source) => source.configMapRef).configMapRef;
  return manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name).data;
}
