import type { Path, PlacedProblem, Severity } from '../problem';
import type { Source } from '../source';

/** What is read of a file in Traefik's format, and what is said about it on the way. */
export interface Reading {
  readonly source: Source;
  readonly problems: PlacedProblem[];
}

/** An object of the file that is read field by field; what nobody asked for is named in the end. */
export class Section {
  private readonly fields: Readonly<Record<string, unknown>>;
  private readonly asked = new Set<string>();

  constructor(
    value: unknown,
    readonly path: Path,
    readonly reading: Reading,
  ) {
    const usable = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!usable) this.say('must be an object');
    this.fields = usable ? (value as Record<string, unknown>) : {};
    // An object that is none has no fields to be named.
  }

  say(message: string, severity: Severity = 'error', field?: string | number): void {
    const path = field === undefined ? this.path : [...this.path, field];
    this.reading.problems.push({ path, message, severity });
  }

  get names(): string[] {
    return Object.keys(this.fields);
  }

  has(field: string): boolean {
    return Object.hasOwn(this.fields, field);
  }

  raw(field: string): unknown {
    this.asked.add(field);
    return this.has(field) ? this.fields[field] : undefined;
  }

  text(field: string): string | undefined {
    const value = this.raw(field);
    if (value === undefined) return undefined;
    if (typeof value === 'string') return value;
    this.say('must be a text', 'error', field);
    return undefined;
  }

  whole(field: string, min: number): number | undefined {
    const value = this.raw(field);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min) return value;
    this.say(`must be a whole number from ${min}`, 'error', field);
    return undefined;
  }

  texts(field: string): string[] | undefined {
    const value = this.raw(field);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
    this.say('must be a list of texts', 'error', field);
    return undefined;
  }

  /** Seconds; written as Go does (`1m30s`, `500ms`), or as a number of seconds. */
  seconds(field: string): number | undefined {
    const value = this.raw(field);
    if (value === undefined) return undefined;
    const text = typeof value === 'string' ? durationOf(value) : undefined;
    const seconds = typeof value === 'number' ? value : text;
    if (seconds !== undefined && seconds > 0) return seconds;
    this.say('must be a duration, such as 10s', 'error', field);
    return undefined;
  }

  section(field: string): Section | undefined {
    const value = this.raw(field);
    return value === undefined ? undefined : new Section(value, [...this.path, field], this.reading);
  }

  /** The objects of an object, by name. */
  sections(field: string): Map<string, Section> {
    const all = this.section(field);
    const names = all?.names ?? [];
    return new Map(names.flatMap((name) => [[name, all?.section(name)] as const]).filter(isWhole));
  }

  /** The objects of a list. */
  items(field: string): Section[] {
    const value = this.raw(field);
    if (value === undefined) return [];
    if (Array.isArray(value))
      return value.map((item, index) => new Section(item, [...this.path, field, index], this.reading));
    this.say('must be a list', 'error', field);
    return [];
  }

  /** Names the fields that nobody has asked for. */
  finish(message = 'is not supported'): void {
    for (const name of this.names) {
      if (this.asked.has(name)) continue;
      this.reading.problems.push({ path: [...this.path, name], message, severity: 'error', atKey: true });
    }
  }
}

function isWhole(entry: readonly [string, Section | undefined]): entry is [string, Section] {
  return entry[1] !== undefined;
}

const UNITS: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 0.001, us: 1e-6, ns: 1e-9 };

function durationOf(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|ns))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|ns)/g)];
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ''] ?? 0), 0);
}

/** A name that another part of the file refers to; `@file` says that it is in a file, as it is. */
export function referredName(reference: string): string | undefined {
  const [name, provider, ...more] = reference.split('@');
  return more.length === 0 && (provider === undefined || provider === 'file') ? name : undefined;
}
