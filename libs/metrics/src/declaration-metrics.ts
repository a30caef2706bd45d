import { Counter, Gauge, type Registry } from 'prom-client';
import { OTHER_TENANTS } from './gateway-metrics';

/** What is shown of the files that declare projects; `#libs/declarations` fits without being imported. */
export interface WatchedDeclarations {
  readonly files: ReadonlyArray<{ file: string; valid: boolean }>;
  readonly reloads: Readonly<Record<'success' | 'failure', number>>;
  /** Milliseconds since the epoch; 0 for never. */
  readonly reloadedAt: number;
}

/**
 * Metrics that say whether the files of CONFIG_DIR are served as they are.
 * @param maxFiles files with series of their own; the rest are one, which is 1 if all of them are valid.
 */
export function watchDeclarations(
  registry: Registry,
  declarations: WatchedDeclarations,
  maxFiles: number,
): void {
  const registers = [registry];
  new Gauge({
    name: 'gateway_config_file_valid',
    help: '1 if the present version of a file in CONFIG_DIR is served, 0 if it is refused',
    labelNames: ['file'],
    registers,
    // Workers that disagree are one that refuses.
    aggregator: 'min',
    collect() {
      this.reset();
      const { files } = declarations;
      for (const { file, valid } of files.slice(0, maxFiles)) this.set({ file }, valid ? 1 : 0);
      const rest = files.slice(maxFiles);
      if (rest.length > 0) this.set({ file: OTHER_TENANTS }, rest.every(({ valid }) => valid) ? 1 : 0);
    },
  });
  new Counter({
    name: 'gateway_config_reloads_total',
    help: 'Times that changed files were taken over; failure: at least one file is refused',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      for (const [result, times] of Object.entries(declarations.reloads)) this.inc({ result }, times);
    },
  });
  new Gauge({
    name: 'gateway_config_last_reload_timestamp_seconds',
    help: 'When files were last taken over',
    registers,
    aggregator: 'min',
    collect() {
      this.set(declarations.reloadedAt / 1000);
    },
  });
}
