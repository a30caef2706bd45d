import type { Browser, Response } from 'playwright-core';
import { openPage, settled, signIn } from './browser';
import { ADMIN_TOKEN } from './shop';
import type { Figure } from './table';

/** A first visit of one page, with nothing in the cache. */
export interface Visit {
  /** When the largest thing of the page was painted, milliseconds. */
  largestPaintMs: number;
  /** How much moved that nobody has moved (Layout Instability API), as a part of the window. */
  layoutShift: number;
  /** What tasks took beyond 50 ms each until the page was there, milliseconds. */
  blockingMs: number;
  /** When the page could be used: its heading and its data are there. */
  interactiveMs: number;
  /** JavaScript as it came over the wire, and the whole of it, bytes. */
  scriptBytes: number;
  totalBytes: number;
  /** What good pages do not do, one line each. */
  problems: string[];
}

/** Visits a page as somebody who has signed in and comes for the first time. */
export async function visit(browser: Browser, url: string, path: string): Promise<Visit> {
  const signedIn = await openPage(browser, url);
  await signIn(signedIn.page, ADMIN_TOKEN);
  const cookies = await signedIn.context.cookies();
  await signedIn.context.close();
  // A context of its own has a cache of its own.
  const { context, page, complaints } = await openPage(browser, url);
  await context.addCookies(cookies);
  await page.addInitScript(OBSERVE);
  const responses: Response[] = [];
  page.on('response', (response) => void responses.push(response));
  await page.goto(`/dashboard${path}`, { waitUntil: 'commit' });
  await settled(page);
  const interactiveMs = await page.evaluate<number>('performance.now()');
  await page.evaluate('document.fonts.ready');
  const seen = await page.evaluate<Seen>('window.seen');
  const loaded = await page.evaluate<Loaded[]>(LOADED);
  const problems = [
    ...complaints.map((text) => `the console says: ${text}`),
    ...(await page.evaluate<string[]>(DOCUMENT_PROBLEMS)),
    ...(await Promise.all(responses.map((response) => problemsOf(response, url)))).flat(),
  ];
  await context.close();
  const sum = (of: readonly Loaded[]) => of.reduce((all, { bytes }) => all + bytes, 0);
  return {
    ...seen,
    interactiveMs,
    scriptBytes: sum(loaded.filter(({ name }) => name.endsWith('.js'))),
    totalBytes: sum(loaded),
    problems: [...new Set(problems)],
  };
}

/** The bounds; of times generous ones, for a busy machine. */
export function figuresOf(name: string, visited: Visit): Figure[] {
  const kB = (bytes: number) => Math.round(bytes / 1000);
  return [
    { what: `${name}: largest paint, ms`, value: Math.round(visited.largestPaintMs), most: 2500 },
    { what: `${name}: usable, ms`, value: Math.round(visited.interactiveMs), most: 3800 },
    { what: `${name}: blocked, ms`, value: Math.round(visited.blockingMs), most: 300 },
    { what: `${name}: layout shift, %`, value: Math.round(visited.layoutShift * 100), most: 10 },
    { what: `${name}: JavaScript, kB`, value: kB(visited.scriptBytes), most: 250 },
    { what: `${name}: everything, kB`, value: kB(visited.totalBytes), most: 500 },
    { what: `${name}: problems`, value: visited.problems.length, most: 0 },
  ];
}

type Seen = Pick<Visit, 'largestPaintMs' | 'layoutShift' | 'blockingMs'>;
interface Loaded {
  name: string;
  bytes: number;
}

const OBSERVE = `
  window.seen = { largestPaintMs: 0, layoutShift: 0, blockingMs: 0 };
  const watch = (type, note) =>
    new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
  watch('largest-contentful-paint', (entry) => { seen.largestPaintMs = entry.startTime; });
  watch('layout-shift', (entry) => { if (!entry.hadRecentInput) seen.layoutShift += entry.value; });
  watch('longtask', (entry) => { seen.blockingMs += Math.max(0, entry.duration - 50); });
`;

/** What has been fetched, with its size on the wire; streams that are open are none. */
const LOADED = `
  [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .map(({ name, transferSize }) => ({ name: new URL(name).pathname, bytes: transferSize }))
`;

const DOCUMENT_PROBLEMS = `
  [
    [document.documentElement.lang !== '', 'the document does not say its language'],
    [document.title !== '', 'the document has no title'],
    [document.doctype?.name === 'html', 'the document has no doctype'],
    [document.characterSet === 'UTF-8', 'the document is not UTF-8'],
    [document.querySelector('meta[name=description]')?.content, 'the document does not say what it is'],
    [/width=device-width/.test(document.querySelector('meta[name=viewport]')?.content), 'the document has no viewport'],
    [document.querySelectorAll('main h1').length === 1, 'the page has not one heading of the first rank'],
    [[...document.images].every(({ width, height, hasAttribute }) => width && height), 'an image has no size'],
    [[...document.images].every(({ alt }) => alt !== null), 'an image has no text'],
    [document.querySelectorAll('[style*=position][onclick], [onclick], [onload]').length === 0, 'an element has script in it'],
    [new Set([...document.querySelectorAll('[id]')].map(({ id }) => id)).size === document.querySelectorAll('[id]').length, 'two elements have one id'],
  ].filter(([holds]) => !holds).map(([, text]) => text)
`;

/** Below that nothing is gained by compressing (one packet). */
const SMALL_BYTES = 1400;

async function problemsOf(response: Response, own: string): Promise<string[]> {
  const { pathname, origin } = new URL(response.url());
  const headers = await response.allHeaders();
  const problem = (holds: boolean, text: string) => (holds ? [] : [`${pathname} ${text}`]);
  const type = headers['content-type'] ?? '';
  const isAsset = pathname.startsWith('/dashboard/assets/');
  const isText = /^(?:text\/(?!event-stream)|application\/javascript|image\/svg)/.test(type);
  const length = Number(headers['content-length'] ?? 0);
  return [
    ...problem(origin === own, 'comes from another origin'),
    ...problem(response.status() < 400, `was answered with ${response.status()}`),
    ...problem(headers['x-content-type-options'] === 'nosniff', 'may be taken for another type'),
    ...problem(!isAsset || /immutable/.test(headers['cache-control'] ?? ''), 'is fetched anew at each visit'),
    ...problem(isAsset || /no-(?:cache|store)/.test(headers['cache-control'] ?? 'no-store'), 'may be stale'),
    ...problem(
      !(isText && pathname.startsWith('/dashboard')) || length < SMALL_BYTES || !!headers['content-encoding'],
      'comes uncompressed',
    ),
    ...problem(
      !type.startsWith('text/html') || isStrict(headers['content-security-policy'] ?? ''),
      'has no strict policy for its content',
    ),
  ];
}

const isStrict = (policy: string): boolean =>
  /default-src 'none'/.test(policy) && /frame-ancestors 'none'/.test(policy) && !/unsafe-/.test(policy);
