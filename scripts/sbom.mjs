// `npm run sbom`: what the product is made of, as CycloneDX on stdout. npm makes the list from the lockfile; what are only tools is taken out
// here, because `npm sbom --omit dev` leaves out everything that a tool asks for as well, Express and Nest among it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from './prepare.mjs';

const made = execFileSync(
  'npm',
  ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'],
  { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
);
const { packages } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8'));
const shipped = new Set(
  Object.entries(packages)
    .filter(([place, { dev }]) => place !== '' && !dev)
    .map(([place, { version }]) => `${place.slice(place.lastIndexOf('node_modules/') + 13)}@${version}`),
);
const document = JSON.parse(made);
const { component } = document.metadata;
// npm calls it after the folder that it happens to lie in.
component.name = 'gatehouse';
const kept = new Set([component['bom-ref']]);
document.components = document.components.filter(({ name, version, 'bom-ref': ref }) => {
  const stays = shipped.has(`${name}@${version}`);
  if (stays) kept.add(ref);
  return stays;
});
document.dependencies = document.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => kept.has(one)) }));
process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
