import { createHash } from 'node:crypto';
import { keys } from '#libs/store';
import { BackupError } from './backup-error';
import { FORMAT, VERSION, type BackupLine } from './backup-line';
import { ENCRYPTED_FORMAT } from './encrypted';

export interface BackupSummary {
  readonly documents: number;
  readonly indexes: number;
  readonly ledgers: number;
  readonly sha256: string;
}

/**
 * Reads a backup from beginning to end and says what is in it.
 * @param lines without their line ends.
 * @throws BackupError naming the line
 */
export async function checkBackup(lines: AsyncIterable<string>): Promise<BackupSummary> {
  const digest = createHash('sha256');
  const indexes = new Set<string>();
  let [count, documents, ledgers] = [0, 0, 0];
  let end: Extract<BackupLine, { type: 'end' }> | undefined;
  for await (const text of lines) {
    if (end) throw new BackupError(`line ${count + 2}: there is something behind the end`);
    const line = lineIn(text, count + 1);
    if (line.type === 'end') {
      end = line;
      continue;
    }
    if ((line.type === 'header') !== (count === 0))
      throw new BackupError(`line ${count + 1}: is no ${FORMAT}`);
    digest.update(`${text}\n`);
    count += 1;
    if (line.type === 'document') documents += 1;
    else if (line.type === 'index') indexes.add(line.name);
    else if (line.type === 'ledger') ledgers += 1;
  }
  if (!end) throw new BackupError('it has no end: the file was cut off');
  const sha256 = digest.digest('hex');
  if (end.lines !== count || end.sha256 !== sha256)
    throw new BackupError('its checksum does not match: the file was changed or damaged');
  return { documents, indexes: indexes.size, ledgers, sha256 };
}

/** @throws BackupError */
export function lineIn(text: string, number: number): BackupLine {
  let line: BackupLine;
  try {
    line = JSON.parse(text) as BackupLine;
  } catch {
    throw new BackupError(`line ${number}: is not JSON`);
  }
  const problem = problemOf(line);
  if (problem !== undefined) throw new BackupError(`line ${number}: ${problem}`);
  return line;
}

function problemOf(line: BackupLine): string | undefined {
  if (typeof line !== 'object' || line === null) return 'is no object';
  if ((line as { format?: unknown }).format === ENCRYPTED_FORMAT)
    return 'the file is encrypted: `gatehouse restore` opens it';
  switch (line.type) {
    case 'header':
      if (text(line.format) !== FORMAT) return `is no ${FORMAT}`;
      return line.version === VERSION
        ? undefined
        : `is of version ${JSON.stringify(line.version)}, not ${VERSION}`;
    case 'document':
      if (typeof line.value !== 'string') return 'its value is no text';
      // A file must not reach what no backup holds.
      return keys.isBackedUp(text(line.key)) ? undefined : 'its key is none of a backup';
    case 'index':
      if (!keys.isIndex(text(line.name))) return 'its name is none of a backup';
      return texts(line.members) ? undefined : 'its members are no texts';
    case 'ledger':
      return isLedger(line.ledger) && isCount(line.cycle) ? undefined : 'is no ledger';
    case 'table':
      if (!isLedger(line.ledger) || typeof line.name !== 'string') return 'is no table';
      if (line.expiresAt !== undefined && !isCount(line.expiresAt)) return 'its end is no time';
      return amounts(line.amounts) ? undefined : 'its amounts are no whole numbers';
    case 'source':
      if (!isLedger(line.ledger) || typeof line.source !== 'string') return 'is no source';
      return isCount(line.seq) && isCount(line.expiresAt) ? undefined : 'is no source';
    case 'end':
      return isCount(line.lines) && typeof line.sha256 === 'string' ? undefined : 'is no end';
    default:
      return 'is of no known type';
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isLedger(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(value);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function texts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

const LARGEST = 2n ** 63n;

function amounts(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (pair: unknown) =>
        texts(pair) &&
        (pair as string[]).length === 2 &&
        /^-?\d{1,19}$/.test((pair as string[])[1] ?? '') &&
        BigInt((pair as string[])[1] ?? '') < LARGEST &&
        BigInt((pair as string[])[1] ?? '') >= -LARGEST,
    )
  );
}
