import { Pod } from './pod.mjs';
import { until } from './processes.mjs';

/** One Deployment: how many pods, and how they are replaced. */
export class Replicas {
  pods = [];
  exits = [];
  #serial = 0;

  constructor(manifests, name, context) {
    this.name = name;
    this.deployment = manifests.find((one) => one.kind === 'Deployment' && one.metadata.name === name);
    const hpa = manifests.find((one) => one.spec?.scaleTargetRef?.name === name);
    this.count = Math.min(context.maxReplicas, this.deployment.spec.replicas ?? hpa.spec.minReplicas);
    this.context = context;
  }

  async scale() {
    await Promise.all(Array.from({ length: this.count }, () => this.#add()));
  }

  /** RollingUpdate with maxSurge 1 and maxUnavailable 0; pods that are leaving do not count, as in Kubernetes. */
  async roll(changed) {
    const { maxSurge, maxUnavailable } = this.deployment.spec.strategy.rollingUpdate;
    if (maxSurge !== 1 || maxUnavailable !== 0) throw new Error('another rolling update than this one knows');
    const leaving = [];
    for (const old of [...this.pods]) {
      await this.#add();
      changed();
      this.pods.splice(this.pods.indexOf(old), 1);
      leaving.push(old.terminate().then((exit) => this.exits.push(exit)));
    }
    await Promise.all(leaving);
    changed();
  }

  targets() {
    return this.pods.map(({ name, port }) => ({
      address: `127.0.0.1:${port}`,
      labels: { namespace: 'gatehouse', pod: name },
    }));
  }

  async #add() {
    const pod = new Pod(`${this.name}-${this.#serial++}`, this.deployment.spec.template, this.context);
    await pod.start();
    await until(`${pod.name} to be ready`, () => pod.ready);
    this.pods.push(pod);
    this.context.say(`${pod.name} is ready`);
  }
}
