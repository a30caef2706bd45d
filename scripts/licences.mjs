// `npm run licences`: the licences of everything that the lockfiles name, and exit code 1 if one may not be used. What is shipped
// may be permissive only, the packages that the dashboard's page is made of and its fonts (OFL-1.1, which asks for its text beside
// them) among it; tools may also be data under CC-BY-4.0 or weak copyleft, which nothing of the product contains.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { LOCKS, packagesOf } from './locked-packages.mjs';
import { ROOT } from './prepare.mjs';

const PERMISSIVE = new Set(
  ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'CC0-1.0', 'ISC', 'MIT', 'OFL-1.1', 'Python-2.0', 'Unlicense'],
); // prettier-ignore
const FOR_TOOLS = new Set([...PERMISSIVE, 'CC-BY-4.0', 'MPL-2.0']);

const { values } = parseArgs({
  options: { lock: { type: 'string', multiple: true }, json: { type: 'boolean', default: false } },
});
const locks = values.lock ?? LOCKS;

const all = locks.flatMap((lock) => packagesOf(path.resolve(ROOT, lock)));
const refused = all.filter(({ licence, shipped }) => !isAllowed(licence, shipped ? PERMISSIVE : FOR_TOOLS));
if (values.json) process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
else list(all);
for (const { name, version, licence, lock } of refused)
  process.stderr.write(`refused: ${name} ${version} (${licence}) in ${lock}\n`);
process.exit(refused.length > 0 ? 1 : 0);

/**
 * An SPDX expression, read as far as packages use them: parentheses, AND before OR.
 * @param {string} expression
 * @param {Set<string>} allowed
 * @returns {boolean}
 */
function isAllowed(expression, allowed) {
  const inner = /\(([^()]*)\)/.exec(expression);
  if (inner) {
    const { 0: whole, 1: part = '' } = inner;
    const verdict = isAllowed(part, allowed) ? 'MIT' : 'none';
    return isAllowed(expression.replace(whole, verdict), allowed);
  }
  const any = expression.split(/\s+OR\s+/);
  return any.some((all) => all.split(/\s+AND\s+/).every((one) => allowed.has(one.trim())));
}

/** @param {ReturnType<typeof packagesOf>} packages */
function list(packages) {
  for (const shipped of [true, false]) {
    const these = packages.filter((one) => one.shipped === shipped);
    if (these.length === 0) continue;
    process.stdout.write(`${shipped ? 'shipped' : 'tools'}: ${these.length} packages\n`);
    const licences = [...new Set(these.map(({ licence }) => licence))].sort();
    for (const licence of licences) {
      const named = these
        .filter((one) => one.licence === licence)
        .map(({ name, version }) => `${name} ${version}`);
      const few = [...new Set(named)].sort();
      process.stdout.write(`  ${licence} (${few.length}): ${few.join(', ')}\n`);
    }
  }
}
