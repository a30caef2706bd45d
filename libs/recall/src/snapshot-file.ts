import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

const VERSION = 1;

/** What a snapshot says beside the documents. */
export interface SnapshotFacts {
  /** Up to when everything in it was current, milliseconds since the epoch. */
  readonly vouchedAt: number;
  /** Live replicas then: each takes its share of the limits. */
  readonly fleetSize: number;
}

export interface Snapshot extends SnapshotFacts {
  readonly texts: ReadonlyArray<readonly [key: string, text: string | null]>;
}

/**
 * A snapshot in two files: the documents, with a digest against damage, and beside them a small one that says up to when
 * they were current, which is written far more often. Both appear whole or not at all.
 */
export class SnapshotFile {
  /** Of the documents that are on disk. */
  private digest = '';

  /** @param origin which store it is of: that of another one is none. */
  constructor(
    private readonly path: string,
    private readonly origin: string,
  ) {}

  /** At the start, before anything is served. Undefined for none, and for one that is damaged, foreign or of another version. */
  read(): Snapshot | undefined {
    try {
      const [head = '', ...lines] = readFileSync(this.path, 'utf8').split('\n');
      const { version, origin, sha256, vouchedAt, fleetSize } = JSON.parse(head) as Head;
      const body = lines.join('\n');
      if (version !== VERSION || origin !== this.origin || sha256 !== digestOf(body)) return undefined;
      this.digest = sha256;
      const texts = lines
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as [string, string | null]);
      return { vouchedAt, fleetSize, ...this.newerFacts(sha256), texts };
    } catch {
      return undefined;
    }
  }

  async write(texts: Iterable<readonly [string, string | null]>, facts: SnapshotFacts): Promise<void> {
    let body = '';
    for (const pair of texts) body += `${JSON.stringify(pair)}\n`;
    const sha256 = digestOf(body);
    const head: Head = { version: VERSION, origin: this.origin, sha256, ...facts };
    await replace(this.path, `${JSON.stringify(head)}\n${body}`);
    this.digest = sha256;
  }

  /** Says that the documents on disk are still current. */
  async vouch(facts: SnapshotFacts): Promise<void> {
    await replace(this.vouchedPath, JSON.stringify({ sha256: this.digest, ...facts }));
  }

  private newerFacts(sha256: string): SnapshotFacts | undefined {
    try {
      const facts = JSON.parse(readFileSync(this.vouchedPath, 'utf8')) as SnapshotFacts & { sha256: string };
      // Those of other documents are nothing to these.
      if (facts.sha256 !== sha256 || !Number.isFinite(facts.vouchedAt)) return undefined;
      return { vouchedAt: facts.vouchedAt, fleetSize: facts.fleetSize };
    } catch {
      return undefined;
    }
  }

  private get vouchedPath(): string {
    return `${this.path}.vouched`;
  }
}

type Head = SnapshotFacts & { readonly version: number; readonly origin: string; readonly sha256: string };

function digestOf(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}

async function replace(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Workers of one machine share the folder.
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, path);
}
