import fs from 'node:fs';
import path from 'node:path';

/** The list of docs/adr. */
export function decisionsPage(folder) {
  const files = fs.readdirSync(folder).filter((name) => /^\d{4}-.*\.md$/.test(name));
  const items = files.sort().map((name) => {
    const [heading] = fs.readFileSync(path.join(folder, name), 'utf8').split('\n');
    const title = heading.replace(/^# *(?:\d+\. *)?/, '');
    return `${Number(name.slice(0, 4))}. [${title}](${name})`;
  });
  return ['# Decisions', 'What was decided where there were alternatives, and why.\n', ...items].join('\n');
}
