import type { FieldProblem } from '#libs/errors';
import { isCount, isDictionary, type Dictionary } from './json-shape';
import { parseMoney } from './money';
import { digestOf, frozen, type Statement } from './statement';

/** A statement that is as it was made, or what speaks against it. */
export type CheckedStatement =
  { statement: Statement; problems?: undefined } | { statement?: undefined; problems: FieldProblem[] };

type Report = (field: string, message: string) => void;

/**
 * Checks that a document is a statement as it was made: its parts are there, its amounts add up and its digest fits.
 * Whoever can rewrite a statement can also compute a digest, so that one alone shows accidents and edits by hand;
 * compare with a digest that was recorded elsewhere (the audit log, the customer's copy) to show all of them.
 * @param recorded the digest the statement had when it was made.
 */
export function verifyStatement(document: unknown, recorded?: string): CheckedStatement {
  if (!isDictionary(document)) return { problems: [{ field: '', message: 'must be an object' }] };
  const problems: FieldProblem[] = [];
  const report: Report = (field, message) => void problems.push({ field, message });
  const { digest, ...content } = document;
  checkTexts(content, ['id', 'tenantId', 'currency', 'openedAt', 'closedAt'], '', report);
  if (!isCount(content.cycle)) report('cycle', 'must be a whole number');
  if (!Array.isArray(content.plans)) report('plans', 'must be a list');
  checkTotal(content, report);
  if (digest !== digestOf(content)) report('digest', 'does not fit the content');
  else if (recorded !== undefined && digest !== recorded)
    report('digest', 'is not the one that was recorded');
  if (problems.length > 0) return { problems };
  // A copy, because freezing what belongs to the caller would surprise them.
  return { statement: frozen(structuredClone(document) as unknown as Statement) };
}

function checkTotal({ lines, fees, total }: Dictionary, report: Report): void {
  const amounts = [
    ...itemsOf(lines, 'lines', report).map((line, index) => lineCost(line, `lines.${index}`, report)),
    ...itemsOf(fees, 'fees', report).map((fee, index) => {
      checkTexts(fee, ['planId'], `fees.${index}.`, report);
      return amountOf(fee, 'amount', `fees.${index}.`, report);
    }),
  ];
  const sum = amounts.reduce((known, amount) => known + amount, 0n);
  if (amountOf({ total }, 'total', '', report) !== sum) {
    report('total', 'is not the sum of the lines and the fees');
  }
}

function lineCost(line: Dictionary, field: string, report: Report): bigint {
  checkTexts(line, ['keyId', 'keyName'], `${field}.`, report);
  const cost = amountOf(line, 'cost', `${field}.`, report);
  const { requests } = line;
  if (!isCount(requests)) report(`${field}.requests`, 'must be a whole number');
  else if (
    line.unitPrice !== undefined &&
    amountOf(line, 'unitPrice', `${field}.`, report) * BigInt(requests) !== cost
  ) {
    report(`${field}.unitPrice`, 'is not what each request cost');
  }
  return cost;
}

function itemsOf(list: unknown, field: string, report: Report): Dictionary[] {
  if (!Array.isArray(list)) {
    report(field, 'must be a list');
    return [];
  }
  return list.map((item) => (isDictionary(item) ? item : {}));
}

/** The amount in a field; zero where a problem has been reported. */
function amountOf(from: Dictionary, field: string, prefix: string, report: Report): bigint {
  const value = from[field];
  const nano = typeof value === 'string' ? parseMoney(value) : undefined;
  // Nobody is ever owed anything: a negative line would make room for a larger one.
  if (nano === undefined || nano < 0n) report(`${prefix}${field}`, 'must be an amount as decimal text');
  return nano ?? 0n;
}

function checkTexts(from: Dictionary, fields: string[], prefix: string, report: Report): void {
  for (const field of fields) {
    if (typeof from[field] !== 'string') report(`${prefix}${field}`, 'must be a text');
  }
}
