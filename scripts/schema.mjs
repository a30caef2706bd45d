// `node scripts/schema.mjs`: writes docs/schema/project.schema.json, by which editors know the format of CONFIG_DIR.
import fs from 'node:fs';
import path from 'node:path';
import * as prettier from 'prettier';
import { ROOT, prepare, runScript } from './prepare.mjs';

await runScript(async () => {
  await prepare({ dev: true });
  const { projectJsonSchema } = await import('../dist/libs/declarations/src/index.js');
  const file = path.join(ROOT, 'docs', 'schema', 'project.schema.json');
  const options = { ...(await prettier.resolveConfig(file)), filepath: file };
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, await prettier.format(JSON.stringify(projectJsonSchema()), options));
});
