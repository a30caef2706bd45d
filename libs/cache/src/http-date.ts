const MONTHS = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec';
const TIME = '\\d\\d:\\d\\d:\\d\\d';
/** The three forms of RFC 9110 §5.6.7: IMF-fixdate, RFC 850, asctime. */
const HTTP_DATE = new RegExp(
  `^(?:[A-Z][a-z]{2}, \\d\\d (?:${MONTHS}) \\d{4} ${TIME} GMT|[A-Z][a-z]+day, \\d\\d-(?:${MONTHS})-\\d\\d ${TIME} GMT` +
    `|[A-Z][a-z]{2} (?:${MONTHS}) [ \\d]\\d ${TIME} \\d{4})$`,
);

/** Milliseconds since the epoch; undefined for what is no HTTP date, which is less than what `Date.parse` takes. */
export function httpDate(text: string | undefined): number | undefined {
  if (text === undefined || !HTTP_DATE.test(text)) return undefined;
  // asctime has no zone and means GMT.
  const moment = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(moment) ? undefined : moment;
}
