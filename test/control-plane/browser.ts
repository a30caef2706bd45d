import type { Answer, Stage } from './stage';

/** What the page of the dashboard does with HTTP: a cookie jar, and the token that belongs to it. */
export interface Browser {
  cookie: string | undefined;
  csrfToken: string | undefined;
  /** As a script of the page: by cookie, of the same origin, with the CSRF token. Headers with an empty value are left out. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  signIn(token: string): Promise<Answer>;
}

/** A browser at a stage, or at anything else that has a URL. */
export function openBrowser({ url }: Pick<Stage, 'url'>): Browser {
  const browser: Browser = {
    cookie: undefined,
    csrfToken: undefined,
    async call(method, path, body, headers = {}) {
      const all: Record<string, string> = {
        'Sec-Fetch-Site': 'same-origin',
        Cookie: browser.cookie ?? '',
        'X-CSRF-Token': browser.csrfToken ?? '',
        'Content-Type': body === undefined ? '' : 'application/json',
        ...headers,
      };
      const sent = Object.entries(all).filter(([, value]) => value !== '');
      const text = body === undefined ? undefined : JSON.stringify(body);
      const response = await fetch(url + path, { method, headers: sent, body: text, redirect: 'manual' });
      for (const set of response.headers.getSetCookie()) {
        const [pair = ''] = set.split(';');
        browser.cookie = pair.endsWith('=') ? undefined : pair;
      }
      const received = await response.text();
      const isJson = /json/.test(response.headers.get('content-type') ?? '');
      const parsed: unknown = isJson ? JSON.parse(received) : undefined;
      return { status: response.status, headers: response.headers, text: received, body: parsed };
    },
    async signIn(token) {
      const answer = await browser.call('POST', '/dashboard/session', { token });
      if (answer.status === 200) browser.csrfToken = (answer.body as { csrfToken: string }).csrfToken;
      return answer;
    },
  };
  return browser;
}
