// `node scripts/openapi.mjs OUT.json`: writes the OpenAPI document of the control plane to a file, without a server, for
// what is generated from it. Works with what dist/ holds; nothing is installed or built.
import fs from 'node:fs';
import path from 'node:path';

const out = process.argv[2];
if (!out) throw new Error('usage: openapi.mjs <output file>');
const { openApiDocument } = await import('../dist/apps/control-plane/src/docs/open-api-document.js');
fs.mkdirSync(path.dirname(path.resolve(out)), { recursive: true });
fs.writeFileSync(out, `${JSON.stringify(await openApiDocument(), null, 2)}\n`);
