// A pod of a rendered manifest as a process of this machine: the same image arguments, environment, probes and end.
// Different are only addresses: HOST, ports, folders, and where Redis is.
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { answers, freePort, pause, until } from './processes.mjs';

export class Pod {
  state = 'starting';
  ready = false;
  port;
  #spec;
  #container;
  #process;
  #context;

  /**
   * @param context processes, image (words of ENTRYPOINT), root (of the repository), configMap and secret by name,
   *   environment (what is different here)
   */
  constructor(name, template, context) {
    this.name = name;
    this.labels = template.metadata.labels;
    this.#spec = template.spec;
    this.#container = template.spec.containers[0];
    this.#context = context;
  }

  async start() {
    const { processes, image, root } = this.#context;
    this.port = await freePort();
    const folder = path.join(processes.folder, this.name);
    fs.mkdirSync(folder);
    const [, ...words] = image;
    const script = words.map((word) => (word.startsWith('dist/') ? path.join(root, word) : word));
    this.#process = processes.start(this.name, process.execPath, [...script, ...this.#container.args], {
      cwd: folder,
      env: this.#localised(this.#environment(), folder),
    });
    void this.#process.ended.then(() => (this.ready = false));
    await this.#startupProbe();
    this.state = 'running';
    if (!this.#container.readinessProbe) this.ready = true;
    void this.#probe('readinessProbe', (well) => (this.ready = well && this.state === 'running'));
    void this.#probe('livenessProbe', (well) => {
      if (!well && this.state === 'running') this.#context.failed(`${this.name}: liveness probe`);
    });
  }

  /** As the kubelet ends it: preStop, SIGTERM, the rest of the grace period, SIGKILL. */
  async terminate() {
    this.state = 'terminating';
    const graceMs = this.#spec.terminationGracePeriodSeconds * 1000;
    const preStopMs = (this.#container.lifecycle?.preStop.sleep.seconds ?? 0) * 1000;
    await pause(preStopMs);
    return this.#context.processes.stop(this.#process, graceMs - preStopMs);
  }

  get ended() {
    return this.#process.exit !== undefined;
  }

  #environment() {
    const { configMap, secret } = this.#context;
    const env = {};
    for (const { configMapRef } of this.#container.envFrom)
      if (configMapRef) Object.assign(env, configMap(configMapRef.name));
    for (const { name, value, valueFrom } of this.#container.env) {
      const found = value ?? secret(valueFrom.secretKeyRef);
      if (found !== undefined) env[name] = found;
    }
    return env;
  }

  /** Ports of the container become free ones, places where volumes are mounted become folders. */
  #localised(env, folder) {
    const { containerPort } = this.#container.ports[0];
    const mounts = this.#container.volumeMounts.map(({ name, mountPath }) => [
      mountPath,
      this.#volume(name, folder),
    ]);
    const localised = Object.fromEntries(
      Object.entries(env).map(([name, value]) => {
        if (/^(?:ADMIN_)?PORT$/.test(name))
          return [name, Number(value) === containerPort ? String(this.port) : '0'];
        const mount = mounts.find(([place]) => value === place);
        return [name, mount?.[1] ?? value];
      }),
    );
    return { PATH: process.env.PATH, ...localised, HOST: '127.0.0.1', ...this.#context.environment };
  }

  #volume(name, folder) {
    const place = path.join(folder, name);
    const { configMap } = this.#spec.volumes.find((volume) => volume.name === name);
    fs.mkdirSync(place);
    const files = configMap ? (this.#context.configMap(configMap.name) ?? {}) : {};
    for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(place, file), text);
    return place;
  }

  async #startupProbe() {
    if (!this.#container.startupProbe) return;
    const { periodSeconds, failureThreshold } = this.#container.startupProbe;
    const deadlineMs = periodSeconds * failureThreshold * 1000;
    await until(
      `the startup probe of ${this.name}`,
      () => {
        if (this.ended)
          throw new Error(`${this.name} ended: ${this.#context.processes.lastWords(this.#process)}`);
        return answers(this.#urlOf('startupProbe'));
      },
      deadlineMs,
    );
  }

  async #probe(kind, report) {
    // Without one a pod is ready from its start, and lives for ever.
    if (!this.#container[kind]) return;
    const { periodSeconds, timeoutSeconds, failureThreshold } = this.#container[kind];
    for (let failures = 0; !this.ended; await pause(periodSeconds * 1000)) {
      const well = await answers(this.#urlOf(kind), timeoutSeconds * 1000);
      failures = well ? 0 : failures + 1;
      if (well || failures >= failureThreshold) report(well);
    }
  }

  #urlOf(kind) {
    return `http://127.0.0.1:${this.port}${this.#container[kind].httpGet.path}`;
  }
}
