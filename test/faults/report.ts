import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import type { Row } from './row';

const HEAD = ['fault', 'clients got', 'billed / whole', 'sockets left', 'heap', 'verdict'];
const ALIGNMENT = ['---', '---', '---:', '---:', '---:', '---'];

/** The table as Markdown. */
export function table(rows: readonly Row[]): string {
  return [HEAD, ALIGNMENT, ...rows.map(cells)].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

function cells(row: Row): string[] {
  const got = [...row.tally].map(([outcome, count]) => `${count} × ${outcome}`).join(', ');
  const verdict = row.problems.size === 0 ? 'kept' : `**${[...row.problems].join('; ')}**`;
  const { fault, billed, received, leakedSockets, heapGrowth } = row;
  const heap =
    heapGrowth === undefined
      ? '–'
      : `${heapGrowth < 0 ? '−' : '+'}${Math.abs(Math.round(heapGrowth / 1000))} kB`;
  return [
    `${fault.title} (\`${fault.name}\`)`,
    got,
    `${billed ?? '–'} / ${received}`,
    String(leakedSockets ?? '–'),
    heap,
    verdict,
  ];
}

/** Where and of what a table was made. */
export interface Circumstances {
  readonly commit: string;
  readonly machine: string;
}

/** Writes `docs/faults.md`, in the form in which the lint wants it. */
export async function writePage(rows: readonly Row[], { commit, machine }: Circumstances): Promise<void> {
  const page = `# What happens when something breaks

${new Date().toISOString().slice(0, 10)}, commit ${commit}, by \`npm run test:faults -- --write\`. Machine: ${machine}, Node.js ${process.versions.node}.

Each fault is made to happen again and again to a gateway that runs as in production, with a real Redis and real upstreams. A row fails, and
with it the run, if a client got anything that is not listed in \`test/faults\`, or if anything is left behind.

- **clients got**: the status of a response that came whole; \`broken\`: a head, but not all of the body, and the connection closed, so that no
  client can take it for whole; \`refused\`: nobody listened any more. \`known\` callers were served before the fault, \`unknown\` ones come during it,
  \`limited\` ones have a small limit and many requests. A 503 counts only with \`Retry-After\`.
- **billed / whole**: requests on the bill, and successes that their clients received whole. They must be equal.
- **sockets left**: connections that the row has left open at the gateway or its upstreams after the keep-alive time.
- **heap**: live memory after garbage collection, from the end of the first half of the repetitions to the end of the second.

${table(rows)}

The disk of the journal is made full by a limit on the size of the files of the gateway (RLIMIT_FSIZE, set by \`prlimit\` while it runs): it
refuses a write in the middle of a line as a full disk does, and works for any user.
`;
  const file = resolve(__dirname, '../../docs/faults.md');
  writeFileSync(file, await format(page, { ...(await resolveConfig(file)), filepath: file }));
}
