import { Registry } from 'prom-client';
import { watchDeclarations } from './declaration-metrics';

const seriesOf = async (registry: Registry): Promise<string[]> =>
  (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

it('shows each file as it is now, and those beyond the bound as one', async () => {
  const registry = new Registry();
  const declarations = {
    files: [
      { file: 'a.yaml', valid: true },
      { file: 'b.yaml', valid: false },
      { file: 'c.yaml', valid: true },
      { file: 'd.yaml', valid: false },
    ],
    reloads: { success: 3, failure: 1 },
    reloadedAt: 1_700_000_000_000,
  };
  watchDeclarations(registry, declarations, 2);
  const others = [
    'gateway_config_reloads_total{result="success"} 3',
    'gateway_config_reloads_total{result="failure"} 1',
    'gateway_config_last_reload_timestamp_seconds 1700000000',
  ];
  expect(await seriesOf(registry)).toEqual([
    'gateway_config_file_valid{file="a.yaml"} 1',
    'gateway_config_file_valid{file="b.yaml"} 0',
    'gateway_config_file_valid{file="other"} 0',
    ...others,
  ]);
  declarations.files = [{ file: 'c.yaml', valid: true }];
  expect(await seriesOf(registry)).toEqual(['gateway_config_file_valid{file="c.yaml"} 1', ...others]);
});
