import { parseArgs } from 'node:util';

/**
 * What the command line says, by option; with --help, it prints that and ends.
 * @template {import('node:util').ParseArgsOptionsConfig} Options
 * @param {string} help
 * @param {Options} options
 */
export function readValues(help, options) {
  const own = { help: /** @type {const} */ ({ type: 'boolean', short: 'h', default: false }) };
  const { values } = parseArgs({ options: { ...options, ...own } });
  if (values.help) {
    process.stdout.write(help);
    process.exit(0);
  }
  return values;
}
