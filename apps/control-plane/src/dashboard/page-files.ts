import { hash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** One file of the page, as it can be sent. */
export interface PageFile {
  /** Relative to the folder. */
  readonly name: string;
  /** Of what is in it: in images all files may have one and the same time. */
  readonly etag: string;
  /** Codings that it lies there in beside its plain form, the best first. */
  readonly codings: ReadonlyArray<readonly [coding: string, name: string]>;
}

const CODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

/**
 * The files of a built page by their paths. Only what is listed is served: no path that a client makes up leads
 * anywhere else.
 */
export class PageFiles {
  private found: ReadonlyMap<string, PageFile> | undefined;

  constructor(readonly folder: string) {}

  /** @param path with a slash at its beginning, decoded */
  find(path: string): PageFile | undefined {
    return this.files?.get(path);
  }

  /** Undefined while there is none: it may be built later. */
  get index(): PageFile | undefined {
    return this.files?.get('/index.html');
  }

  /** Read once. What is built anew while the gateway runs is not the page of this gateway. */
  private get files(): ReadonlyMap<string, PageFile> | undefined {
    if (this.found) return this.found;
    const names = listed(this.folder);
    if (!names.has('index.html')) return undefined;
    const files = [...names].map((name): [string, PageFile] => {
      const codings = CODINGS.map(([coding, end]) => [coding, name + end] as const);
      return [
        `/${name}`,
        {
          name,
          etag: etagOf(join(this.folder, name)),
          codings: codings.filter(([, coded]) => names.has(coded)),
        },
      ];
    });
    return (this.found = new Map(files));
  }
}

function etagOf(file: string): string {
  return `"${hash('sha256', readFileSync(file), 'base64url').slice(0, 27)}"`;
}

function listed(folder: string, below = ''): Set<string> {
  const names = new Set<string>();
  try {
    for (const name of readdirSync(join(folder, below))) {
      const path = below === '' ? name : `${below}/${name}`;
      const inner = statSync(join(folder, path)).isDirectory() ? listed(folder, path) : [path];
      for (const one of inner) names.add(one);
    }
  } catch {
    // There is none, or it is being built at this moment.
  }
  return names;
}
