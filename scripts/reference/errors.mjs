import { cell, code, table } from './cells.mjs';

const FAULTS = {
  client: 'of whoever asked',
  gateway: 'of the gateway or its configuration: worth an alert',
  upstream: 'of an upstream or an identity provider',
};

/** The catalogue, by status. */
export function errorsPage(errors) {
  const all = Object.entries(errors).map(([name, definition]) => ({ name, ...definition }));
  const statuses = [...new Set(all.map(({ status }) => status))].sort((a, b) => a - b);
  return [
    '# Errors',
    'Every refusal is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, a stable `code`, `requestId` and often a',
    '`detail`; with `validation_failed` also `errors`, one entry for each field, and where tracing is on `traceId`. What upstreams answer',
    'passes as it is, whatever its status. `fault` says whose it is:\n',
    ...Object.entries(FAULTS).map(([name, meaning]) => `- \`${name}\`: ${meaning}`),
    ...statuses.map((status) => {
      const rows = all.filter((one) => one.status === status);
      const lines = rows.map(({ name, title, fault }) => [code(name), cell(title), fault]);
      return `\n## ${status}\n\n${table(['code', 'meaning', 'fault'], lines)}`;
    }),
  ].join('\n');
}
