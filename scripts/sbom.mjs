// `npm run sbom`: what the product is made of, as CycloneDX on stdout. npm makes the lists from the lockfiles, of the gateway and of the
// dashboard; what are only tools is taken out here, because `npm sbom --omit dev` leaves out everything that a tool asks for as well,
// Express and Nest among it, and knows nothing of what goes into a page.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { packagesOf } from './locked-packages.mjs';
import { ROOT } from './prepare.mjs';

const document = shippedPart('');
const page = shippedPart('apps/dashboard');
const { component } = document.metadata;
// npm calls it after the folder that it happens to lie in.
component.name = 'gatehouse';
const ref = component['bom-ref'];
const pageRef = page.metadata.component['bom-ref'];
const known = new Set(document.components.map((one) => one['bom-ref']));
document.components.push(...page.components.filter((one) => !known.has(one['bom-ref'])));
for (const { ref: from, dependsOn } of page.dependencies) {
  const name = from === pageRef ? ref : from;
  const there = document.dependencies.find((one) => one.ref === name);
  if (there) there.dependsOn = [...new Set([...there.dependsOn, ...dependsOn])];
  else document.dependencies.push({ ref: name, dependsOn });
}
process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);

/** What npm lists of a folder, without tools. */
function shippedPart(folder) {
  const cwd = path.join(ROOT, folder);
  const made = execFileSync(
    'npm',
    ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'],
    { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  const packages = packagesOf(path.join(cwd, 'package-lock.json'));
  const shipped = new Set(
    packages.filter((one) => one.shipped).map(({ name, version }) => `${name}@${version}`),
  );
  const listed = JSON.parse(made);
  const kept = new Set([listed.metadata.component['bom-ref']]);
  listed.components = listed.components.filter(({ name, version, 'bom-ref': own }) => {
    const stays = shipped.has(`${name}@${version}`);
    if (stays) kept.add(own);
    return stays;
  });
  listed.dependencies = listed.dependencies
    .filter((one) => kept.has(one.ref))
    .map(({ ref: from, dependsOn = [] }) => ({
      ref: from,
      dependsOn: dependsOn.filter((one) => kept.has(one)),
    }));
  return listed;
}
