/**
 * billing: what requests cost. Owns money (whole nano-units, exact), prices and currencies, plans and how their documents
 * are checked, the rating of a cycle, the statement that closes it, and the comparison of what was billed with what was
 * counted. All of it is rules: the same input gives the same amounts, whoever computes them and whenever.
 * Not here: counting requests (`usage`), keeping plans and statements, and payments, of which there are none.
 */
export { formatMoney, isCurrency, parseMoney, parsePrice, toNumber, type CheckedPrice } from './money';
export {
  checkPlan,
  planDocument,
  type CheckedPlan,
  type Plan,
  type PlanDocument,
  type PlanHeading,
  type PlanTerms,
  type Tier,
} from './plan';
export {
  rateSegments,
  type RatedCycle,
  type RatedFee,
  type RatedLine,
  type Segment,
  type UsageLine,
} from './rating';
export {
  createStatement,
  toJson,
  type BilledKey,
  type Statement,
  type StatementFee,
  type StatementLine,
  type StatementParts,
} from './statement';
export { verifyStatement, type CheckedStatement } from './verify-statement';
export { toCsv } from './statement-csv';
export { reconcile, type KeyUnits, type Reconciliation, type ReconciledKey } from './reconcile';
