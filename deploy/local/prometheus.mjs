// A real Prometheus with the configuration and rules of deploy/prometheus, and questions to it.
import fs from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { answers, freePort, programOnPath, until } from './processes.mjs';

export class Prometheus {
  url;
  #folder;

  /** Undefined where there is none on PATH. */
  static find() {
    return programOnPath('prometheus');
  }

  /** @param port a free one, unless given. */
  async start(processes, { root, metricsToken, port }) {
    this.#folder = path.join(processes.folder, 'prometheus');
    fs.mkdirSync(this.#folder);
    for (const file of ['prometheus.yml', 'gatehouse.rules.yaml'])
      fs.copyFileSync(path.join(root, 'deploy/prometheus', file), path.join(this.#folder, file));
    fs.writeFileSync(path.join(this.#folder, 'metrics-token'), metricsToken, { mode: 0o600 });
    this.watch([]);
    const at = `127.0.0.1:${port ?? (await freePort())}`;
    const started = processes.start(
      'prometheus',
      Prometheus.find(),
      [
        `--config.file=${this.#folder}/prometheus.yml`,
        `--storage.tsdb.path=${this.#folder}/data`,
        `--web.listen-address=${at}`,
        '--log.level=warn',
      ],
      { cwd: this.#folder },
    );
    this.url = `http://${at}`;
    await until('Prometheus', () => {
      if (started.exit !== undefined) throw new Error(`Prometheus ended: ${processes.lastWords(started)}`);
      return answers(`${this.url}/-/ready`);
    });
  }

  /** @param targets `{ address, labels }` each; followed while it runs. */
  watch(targets) {
    const groups = targets.map(({ address, labels }) => ({ targets: [address], labels }));
    const file = path.join(this.#folder, 'targets.yaml');
    fs.writeFileSync(`${file}.new`, stringify(groups));
    fs.renameSync(`${file}.new`, file);
  }

  /** The vector that a query is answered with: `{ metric, value }` each. */
  async query(expression) {
    const { result } = await this.#ask(`query?query=${encodeURIComponent(expression)}`);
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** Every rule that is loaded, with its `health`, which is `unknown` before it was first evaluated. */
  async rules() {
    const { groups } = await this.#ask('rules');
    return groups.flatMap(({ rules }) => rules);
  }

  async #ask(what) {
    const response = await fetch(`${this.url}/api/v1/${what}`, { signal: AbortSignal.timeout(5000) });
    const { status, data, error } = await response.json();
    if (status !== 'success') throw new Error(error);
    return data;
  }
}
