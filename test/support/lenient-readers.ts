/**
 * How servers behind a gateway read the paths they get, each more generous in its own way than RFC 3986. They are
 * written without a look at the gateway's own rules, which have to hold against all of them.
 */
type Reader = (path: string) => string;

const onSegments = (path: string, change: (segment: string) => string): string =>
  path.split('/').map(change).join('/');
const decode = (path: string): string => utf8(percentDecoded(path));
const backslashes = (path: string): string => path.replaceAll('\\', '/');
const withoutParameters = (path: string): string =>
  onSegments(path, (segment) => segment.replace(/;.*$/s, ''));
const trimmed = (path: string): string => onSegments(path, (segment) => segment.trim());
const javaCase = (path: string): string =>
  Array.from(path.toUpperCase(), (character) => (character === 'İ' ? 'i' : character.toLowerCase())).join('');
/** Win32 drops spaces and dots at the end of a name, and old versions took three dots for two. */
const windowsNames = (path: string): string =>
  onSegments(path, (segment) => {
    const name = segment.trimEnd();
    return /^\.{2,}$/.test(name) ? '..' : name === '.' ? name : name.replace(/[. ]+$/, '');
  });

/** Soft hyphen, joiners, marks of direction, byte order mark. */
const UNSEEN = /\u00ad|\u034f|\u061c|\u180e|[\u200b-\u200f\u202a-\u202e\u2060-\u206f]|\ufeff/g;

/** By the habit that sets each apart. */
export const READERS: Readonly<Record<string, Reader>> = {
  'a plain server, which decodes once': (path) => dots(decode(path)),
  'nginx, which decodes and merges slashes': (path) => dots(merged(decode(path))),
  'Tomcat, which strips parameters and decodes then': (path) => dots(merged(decode(withoutParameters(path)))),
  'Jetty, which decodes and strips parameters then': (path) => dots(withoutParameters(decode(path))),
  'a server that resolves dots before it strips parameters': (path) => withoutParameters(dots(decode(path))),
  'IIS, on a file system of Windows': (path) => dots(windowsNames(backslashes(decode(path)))).toLowerCase(),
  'a server that decodes twice': (path) => dots(merged(backslashes(decode(decode(path))))),
  'a server that decodes three times': (path) => dots(backslashes(decode(decode(decode(path))))),
  'a server that takes overlong UTF-8': (path) => dots(generousUtf8(percentDecoded(path))),
  'a server that folds Unicode (NFKC)': (path) => dots(decode(path).normalize('NFKC')).toLowerCase(),
  'a code page that takes the nearest character': (path) => dots(nearest(decode(path))),
  'Java, comparing without case': (path) => javaCase(dots(decode(path))),
  'Spring, which trims segments': (path) => trimmed(dots(trimmed(decode(path)))),
  'C, where a string ends with NUL': (path) => dots(decode(path).replace(/\0.*$/s, '')),
  'HFS+, which ignores what cannot be seen': (path) => dots(decode(path).replace(UNSEEN, '')).toLowerCase(),
  'a script that cuts at a line end': (path) => dots(decode(path).replace(/[\r\n].*$/s, '')),
  'all of them in a row': (path) => {
    let text = path;
    for (let before = ''; before !== text;) {
      before = text;
      text = dots(
        merged(
          windowsNames(trimmed(withoutParameters(backslashes(nearest(decode(text).normalize('NFKC')))))),
        ),
      );
    }
    return javaCase(text);
  },
};

/** Names the readers that take a forwarded path to another place than the one whose route let it pass. */
export type Misreadings = (forwarded: string, judged: string) => string[];

/** @param places all places that have a route */
export function misreadingsAmong(places: readonly string[]): Misreadings {
  const readers = Object.entries(READERS).map(([name, read]) => ({
    name,
    read,
    spots: places.map((place) => ({ place, segments: segmentsOf(read(place)) })),
  }));
  return (forwarded, judged) => {
    const misled = readers.filter(({ read, spots }) => {
      const reading = segmentsOf(read(forwarded));
      const matching = spots.filter(({ segments }) => segments.every((segment, i) => reading[i] === segment));
      const longest = Math.max(...matching.map(({ segments }) => segments.length));
      return !matching.some(({ place, segments }) => place === judged && segments.length === longest);
    });
    return misled.map(({ name }) => name);
  };
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function merged(path: string): string {
  return path.replace(/\/+/g, '/');
}

function dots(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
  }
  return kept.join('/');
}

/** Each character a byte. Incomplete encodings stay as they are. */
function percentDecoded(path: string): string {
  const bytes = Buffer.from(path).toString('latin1');
  return bytes.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}

/** Puts the bits together without asking whether fewer bytes would have done. */
function generousUtf8(bytes: string): string {
  return bytes.replace(/[\xc0-\xfd][\x80-\xbf]+/g, (sequence) => {
    const lead = sequence.charCodeAt(0);
    const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : lead < 0xfc ? 5 : 6;
    if (sequence.length < length) return sequence;
    let code = lead & (0x7f >> length);
    for (let i = 1; i < length; i++) code = code * 64 + (sequence.charCodeAt(i) & 0x3f);
    return (code <= 0x10ffff ? String.fromCodePoint(code) : '?') + sequence.slice(length);
  });
}

/** What Windows makes of characters that its code page 1252 does not have. */
function nearest(text: string): string {
  return text
    .replace(/[\u2044\u2215\uff0f]/g, '/')
    .replace(/[\u2216\uff3c]/g, '\\')
    .replace(/[\uff0e\u2024]/g, '.')
    .replace(/[\uff10-\uff5a]/g, (character) => String.fromCharCode(character.charCodeAt(0) - 0xfee0));
}
