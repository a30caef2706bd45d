import { isSecretVariable } from '#libs/config';

/** The environment, by name. Handed down from `#libs/config`, which alone reads it. */
export type Variables = (name: string) => string | undefined;

/**
 * A secret as the document has it: where its variable is one that documents may name it stays named, and the value is
 * looked up where it is used; any other is known to the operator's files only.
 */
export function secretIn(secret: string, variable: string | undefined): string | { env: string } {
  return variable !== undefined && isSecretVariable(variable) ? { env: variable } : secret;
}

/** A place in a file where the value of a variable, or something like it, is asked for. */
export interface Reference {
  /** `template` is {{env "NAME"}}, `dollar` is ${NAME}, `other` a template that is not understood. */
  readonly kind: 'template' | 'dollar' | 'other';
  readonly name: string;
  /** As it stands in the file. */
  readonly source: string;
  /** Where it begins in the file, in UTF-16 units. */
  readonly offset: number;
}

/** A text whose references are covered by characters that mean nothing in YAML; every other character kept its place. */
export interface CoveredText {
  readonly text: string;
  readonly references: readonly Reference[];
}

const REFERENCE =
  /\{\{\s*env\s+(?:"([A-Za-z_]\w*)"|`([A-Za-z_]\w*)`)\s*\}\}|\$\{([A-Za-z_]\w*)\}|\{\{[^}\n]*\}\}/g;

// Private use (Unicode §23.5): nobody writes them, YAML takes them for letters. One opens, one counts, the rest fill.
const OPEN = '\u{E000}';
const FILL = '\u{E001}';
const FIRST = 0xe100;
const LAST = 0xf8ff;
const COVER = new RegExp(`${OPEN}([\\u{${FIRST.toString(16)}}-\\u{${LAST.toString(16)}}])${FILL}*`, 'gu');

/**
 * Covers the references before the text is parsed. A template may stand where YAML has no place for it, unquoted or
 * with double quotes inside double quotes, and what a variable holds must never be read as YAML.
 * @returns undefined if the text cannot be covered: it has such characters itself, or thousands of references.
 */
export function cover(text: string): CoveredText | undefined {
  const references: Reference[] = [];
  if (text.includes(OPEN) || text.includes(FILL)) return undefined;
  const covered = text.replace(REFERENCE, (source: string, ...found: (string | number | undefined)[]) => {
    const [quoted, ticked, dollar, offset] = found as [string?, string?, string?, number?];
    const name = quoted ?? ticked ?? dollar;
    const kind = dollar !== undefined ? 'dollar' : name === undefined ? 'other' : 'template';
    references.push({ kind, name: name ?? '', source, offset: offset ?? 0 });
    return OPEN + String.fromCharCode(FIRST + references.length - 1) + FILL.repeat(source.length - 2);
  });
  return references.length > LAST - FIRST ? undefined : { text: covered, references };
}

/** Puts something in the place of every reference that a part of a covered text has. */
export function uncover(
  part: string,
  references: readonly Reference[],
  replace: (reference: Reference) => string,
): string {
  return part.replace(COVER, (_cover, index: string) => {
    const reference = references[index.charCodeAt(0) - FIRST];
    return reference === undefined ? '' : replace(reference);
  });
}

/** The reference that a part of a covered text consists of, if it is nothing else. */
export function onlyReference(part: string, references: readonly Reference[]): Reference | undefined {
  const [whole, index] = part.matchAll(COVER).next().value ?? [];
  return whole === part && index !== undefined ? references[index.charCodeAt(0) - FIRST] : undefined;
}
