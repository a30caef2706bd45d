import { StringDecoder } from 'node:string_decoder';
import { BackupError } from './backup-error';

/** Many times the largest line that is written; whoever sends one without an end must not fill the memory. */
const MAX_LINE = 64 * 1024 ** 2;

/**
 * The lines of a file without their ends. Only `\n` ends one: `node:readline` takes U+2028 for an end too in some
 * versions, which JSON leaves as it is.
 * @throws BackupError
 */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>, maxLine = MAX_LINE): AsyncIterable<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of bytes) {
    const text = decoder.write(chunk);
    let from = 0;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      yield rest + text.slice(from, at);
      rest = '';
      from = at + 1;
    }
    rest += text.slice(from);
    if (rest.length > maxLine) throw new BackupError('it has a line that is too long');
  }
  rest += decoder.end();
  if (rest !== '') yield rest;
}
