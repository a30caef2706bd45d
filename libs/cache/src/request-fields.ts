import { parseCacheControl, type Directives } from './cache-control';

/** What of a request's headers decides whether and how it is answered from the store. */
export interface RequestFields {
  /** Undefined without Cache-Control and Pragma, which is nearly always. */
  directives: Directives | undefined;
  range: string | undefined;
  ifRange: string | undefined;
  ifNoneMatch: string | undefined;
  ifModifiedSince: string | undefined;
  cookie: string | undefined;
  /** Why the store has no part in this request at all. */
  bypass: string | undefined;
}

type Meaning =
  keyof Omit<RequestFields, 'directives' | 'bypass'> | 'cacheControl' | 'pragma' | 'odd' | 'none';

const MEANINGS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>(
  Object.entries({
    'cache-control': 'cacheControl',
    pragma: 'pragma',
    range: 'range',
    'if-range': 'ifRange',
    'if-none-match': 'ifNoneMatch',
    'if-modified-since': 'ifModifiedSince',
    cookie: 'cookie',
    // A precondition on the state of the origin is the origin's to judge.
    'if-match': 'odd',
    'if-unmodified-since': 'odd',
    // By these some servers take a request for one to another host, scheme or path than the one that it is stored under
    // (web cache poisoning). What the admission does not drop already is neither stored nor answered from the store.
    'x-host': 'odd',
    'x-original-host': 'odd',
    'x-http-host-override': 'odd',
    'x-http-path-override': 'odd',
    'x-original-uri': 'odd',
    'x-original-path': 'odd',
    'x-rewrite-path': 'odd',
    'x-url-scheme': 'odd',
    'x-scheme': 'odd',
    'front-end-https': 'odd',
    'x-proxyuser-ip': 'odd',
    'x-wap-profile': 'odd',
    'true-client-ip': 'odd',
    'x-client-ip': 'odd',
    'client-ip': 'odd',
    'x-cluster-client-ip': 'odd',
    'x-originating-ip': 'odd',
  } as const),
);

/** Meanings by the name as spelt; bounded, because clients choose it. */
const known = new Map<string, Meaning>();
const MAX_KNOWN = 1000;

function meaningOf(spelling: string): Meaning {
  const seen = known.get(spelling);
  if (seen !== undefined) return seen;
  // `X_Original_Host` is the same to CGI programs.
  const name = spelling.toLowerCase();
  const plain = MEANINGS.get(name.replace(/[^a-z0-9]/g, '-'));
  const meaning = MEANINGS.get(name) ?? (plain === 'odd' ? 'odd' : 'none');
  if (known.size < MAX_KNOWN) known.set(spelling, meaning);
  return meaning;
}

/** @param headers as the upstream would get them, flat: name, value, name, value, … */
export function readRequestFields(headers: readonly string[]): RequestFields {
  const fields: RequestFields = {
    directives: undefined,
    range: undefined,
    ifRange: undefined,
    ifNoneMatch: undefined,
    ifModifiedSince: undefined,
    cookie: undefined,
    bypass: undefined,
  };
  let cacheControl: string | undefined;
  let pragma: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const meaning = meaningOf(headers[i] as string);
    if (meaning === 'none') continue;
    const value = headers[i + 1] as string;
    if (meaning === 'odd') fields.bypass = 'header';
    else if (meaning === 'cacheControl') cacheControl = joined(cacheControl, value);
    else if (meaning === 'pragma') pragma = joined(pragma, value);
    else fields[meaning] = joined(fields[meaning], value);
  }
  if (cacheControl !== undefined) fields.directives = parseCacheControl(cacheControl);
  // Pragma is for those who know no Cache-Control (RFC 9111 §5.4).
  else if (pragma !== undefined && /\bno-cache\b/i.test(pragma))
    fields.directives = parseCacheControl('no-cache');
  return fields;
}

function joined(earlier: string | undefined, value: string): string {
  return earlier === undefined ? value : `${earlier}, ${value}`;
}

/** The conditions by which a client asks for less than the whole response: the gateway asks by its own. */
const CONDITIONS: ReadonlySet<Meaning> = new Set(['ifNoneMatch', 'ifModifiedSince']);

/** Removes a client's own conditions from the headers that the upstream gets. */
export function dropConditions(headers: string[]): void {
  for (let i = headers.length - 2; i >= 0; i -= 2)
    if (CONDITIONS.has(meaningOf(headers[i] as string))) headers.splice(i, 2);
}

/** The value of a request header, several joined; undefined if there is none. @param name in lower case */
export function valueOf(name: string, headers: readonly string[]): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const spelling = headers[i] as string;
    if (spelling.length === name.length && spelling.toLowerCase() === name)
      value = joined(value, headers[i + 1] as string);
  }
  return value;
}
