import { cell, code, table } from './cells.mjs';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** The operations of the control plane and their documents. */
export function apiPage(document) {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ method, path, ...item[method] })),
  );
  const tags = [...new Set(operations.map(tagOf))].sort();
  const schemas = Object.entries(document.components.schemas)
    .filter(([name]) => name !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    '# Control plane API',
    'The same as `/docs` shows on a running gateway, and `/docs/openapi.json` gives to programs. Unless an operation says otherwise it',
    'wants the admin token, as `X-Admin-Token` or as a bearer token. Refusals are listed under [errors](errors.md).',
    ...tags.map((tag) => {
      const own = operations.filter((operation) => tagOf(operation) === tag);
      return `\n## ${tag}\n\n${own.map(operationText).join('\n\n')}`;
    }),
    '\n## Documents',
    ...schemas.map(([name, schema]) => schemaText(name, schema)),
  ].join('\n');
}

function tagOf({ tags, path }) {
  return tags?.[0] ?? path.split('/').find((part) => part !== '' && part !== 'admin') ?? 'other';
}

function operationText({ method, path, summary, description, parameters = [], requestBody, responses }) {
  const lines = [`### ${method.toUpperCase()} ${path.replace(/[{}]/g, (sign) => `\\${sign}`)}`, ''];
  for (const text of [summary, description]) if (text) lines.push(plain(text), '');
  const shown = parameters.filter((one) => one.name);
  if (shown.length > 0) {
    const rows = shown.map((one) => [code(one.name), one.in, cell(one.description)]);
    lines.push(table(['parameter', 'in', 'meaning'], rows), '');
  }
  const body = requestBody && typeText(Object.values(requestBody.content)[0].schema);
  if (body) lines.push(`Body: ${body}`, '');
  const answers = Object.entries(responses).map(([status, answer]) => {
    const type = answer.content && typeText(Object.values(answer.content)[0].schema);
    return `\`${status}\`${type && type !== '[Problem](#problem)' ? ` ${type}` : ''}`;
  });
  return [...lines, `Answers: ${answers.join(', ')}`].join('\n');
}

function schemaText(name, { properties = {}, required = [], description }) {
  const rows = Object.entries(properties).map(([field, schema]) => [
    code(field) + (required.includes(field) ? ' \\*' : ''),
    typeText(schema),
    cell(schema.description ?? ''),
  ]);
  const lines = [`\n### ${name}`, ''];
  if (description) lines.push(plain(description), '');
  return [...lines, table(['field', 'type', 'meaning'], rows)].join('\n');
}

function typeText(schema = {}) {
  const { $ref, type, items, enum: values, allOf, oneOf, anyOf, nullable } = schema;
  if ($ref) {
    const name = $ref.split('/').at(-1);
    // What has no name of its own is shown nowhere else.
    if (name === '') return 'object';
    return `[${name}](#${name.toLowerCase()})`;
  }
  const several = allOf ?? oneOf ?? anyOf;
  if (several) return several.map(typeText).join(' or ') + (nullable ? ' or null' : '');
  if (type === 'array') return `list of ${typeText(items)}`;
  if (values) return values.length > 12 ? 'one of many words' : values.map(code).join(', ');
  return [type ?? 'any', nullable ? 'null' : ''].flat().filter(Boolean).join(' or ');
}

/** Descriptions are Markdown, but no HTML. */
function plain(text) {
  return text.replace(/[<>{}](?=(?:[^`]*`[^`]*`)*[^`]*$)/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
