import { cell, code, table } from './cells.mjs';

/** Every variable, by the sections of `.env.example`. */
export function settingsPage(settings) {
  const sections = [];
  for (const [name, { section, doc, fallback }] of Object.entries(settings)) {
    if (section !== undefined) sections.push({ title: section, rows: [] });
    sections.at(-1).rows.push([code(name), code(fallback), cell(doc)]);
  }
  return [
    '# Settings',
    'Environment variables, or a `.env` file in the working directory (the environment wins). An empty variable counts as unset. A',
    'malformed value, or one that does not fit the others, stops the start with one line per variable. Beside these, any variable that',
    'begins with `GATEWAY_SECRET_` may be named in the documents of tenants in the place of a secret.',
    ...sections.map(
      ({ title, rows }) => `\n## ${title}\n\n${table(['variable', 'default', 'meaning'], rows)}`,
    ),
  ].join('\n');
}
