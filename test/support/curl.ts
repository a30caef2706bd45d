import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { send, type Outcome } from './traffic';

/**
 * Carries out a `curl` command as documentation shows it, on the port of a gateway that runs here. It knows what these
 * commands use: `-X`, `-H`, `-d`, `--data-binary @file`, `-s`, and lines that go on after a backslash.
 * @param folder where the files lie that the command sends.
 */
export function curl(command: string, gateway: { port: number }, folder = '.'): Promise<Outcome> {
  const words = wordsOf(command.replace(/\\\n/g, ' '));
  if (words.shift() !== 'curl') throw new Error(`no curl command: ${command}`);
  const headers: Record<string, string> = {};
  let method: string | undefined;
  let body: string | undefined;
  let url: URL | undefined;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '-X') method = words.shift();
    else if (word === '-H') {
      const [name = '', value = ''] = (words.shift() ?? '').split(/: */, 2);
      headers[name] = value;
    } else if (word === '-d' || word === '--data-binary') body = dataOf(words.shift() ?? '', folder);
    else if (word !== '-s') url = new URL(word);
  }
  if (!url) throw new Error(`no URL: ${command}`);
  url.host = `127.0.0.1:${gateway.port}`;
  if (body !== undefined) headers['Content-Type'] ??= 'application/x-www-form-urlencoded';
  return send(url.href, { method: method ?? (body === undefined ? 'GET' : 'POST'), headers, raw: body });
}

function dataOf(data: string, folder: string): string {
  return data.startsWith('@') ? readFileSync(join(folder, data.slice(1)), 'utf8') : data;
}

/** As a shell takes a line apart, quotes included. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  );
}
