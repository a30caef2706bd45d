/** A text as it may stand in a cell of a table. */
export function cell(text) {
  return String(text ?? '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/[<>{}]/g, (sign) => `&#${sign.charCodeAt(0)};`)
    .replace(/\|/g, '\\|');
}

/** A table; cells are Markdown. */
export function table(heads, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

/** What stands between backquotes in a cell, in which only the bar means anything. */
export function code(text) {
  return text === '' || text === undefined ? '' : `\`${String(text).replace(/\|/g, '\\|')}\``;
}
