import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { DashboardConfig } from '#libs/config';
import { keys, type NoteBoard, type Store } from '#libs/store';
import { csrfTokenOf, seal, sessionName, unseal, type Credential } from './sealed-credential';

/** A session as the request that belongs to it has it. */
export interface OpenSession {
  /** What the cookie holds. */
  readonly cookie: string;
  readonly csrfToken: string;
  readonly credential: Credential;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What the store keeps. It never changes; only how long it stays does. */
interface SessionNote {
  readonly sealed: string;
  readonly expiresAt: number;
}

/** Those of administrators are kept apart: tenants may sign in as often as they like, and push out none of them. */
const BOARDS = {
  a: { key: keys.sessions('admins'), max: 1000 },
  t: { key: keys.sessions('tenants'), max: 20_000 },
} as const satisfies Record<string, NoteBoard>;

const COOKIE = /^([at])\.([A-Za-z0-9_-]{43})$/;
/** A session is noted as used once in such a part of its idle time. */
const RENEWALS = 20;
const MAX_REMEMBERED = 10_000;

/**
 * Sessions of the dashboard, in the store, so that every control plane knows them. A session holds the credential that
 * was signed in with, sealed by what only the cookie has: whatever ends the credential ends the session, and whoever
 * reads the store can do nothing with it.
 */
export class Sessions {
  private readonly renewed = new LRUCache<string, number>({ max: MAX_REMEMBERED });

  /** @param now milliseconds since the epoch. */
  constructor(
    private readonly store: Pick<Store, 'notes'>,
    private readonly terms: Pick<DashboardConfig, 'sessionMs' | 'idleMs'>,
    private readonly now: () => number = Date.now,
  ) {}

  /** A new session under a name of its own: nobody can have known it before. */
  async begin(credential: Credential): Promise<OpenSession> {
    const secret = randomBytes(32);
    const kind = credential.header === 'x-admin-token' ? 'a' : 't';
    const expiresAt = this.now() + this.terms.sessionMs;
    const note: SessionNote = { sealed: seal(secret, credential), expiresAt };
    await this.store.notes.put(
      BOARDS[kind],
      sessionName(secret),
      JSON.stringify(note),
      this.stayMs(expiresAt),
    );
    const cookie = `${kind}.${secret.toString('base64url')}`;
    return { cookie, csrfToken: csrfTokenOf(secret), credential, expiresAt };
  }

  /**
   * The session that a cookie belongs to; undefined for none, or one that is over.
   * @param used whether it is in use by that, and goes on.
   */
  async open(cookie: string, used = true): Promise<OpenSession | undefined> {
    const found = placeOf(cookie);
    if (!found) return undefined;
    const { secret, board, name } = found;
    const text = await this.store.notes.get(board, name);
    if (text === undefined) return undefined;
    const { sealed, expiresAt } = JSON.parse(text) as SessionNote;
    const credential = expiresAt > this.now() ? unseal(secret, sealed) : undefined;
    if (!credential) return undefined;
    if (used) await this.renew(board, name, expiresAt);
    return { cookie, csrfToken: csrfTokenOf(secret), credential, expiresAt };
  }

  async end(cookie: string): Promise<void> {
    const found = placeOf(cookie);
    if (found) await this.store.notes.delete(found.board, found.name);
  }

  private async renew(board: NoteBoard, name: string, expiresAt: number): Promise<void> {
    const now = this.now();
    const last = this.renewed.get(name) ?? 0;
    if (now - last < this.terms.idleMs / RENEWALS) return;
    this.renewed.set(name, now);
    await this.store.notes.renew(board, name, this.stayMs(expiresAt));
  }

  private stayMs(expiresAt: number): number {
    return Math.max(1, Math.min(this.terms.idleMs, expiresAt - this.now()));
  }
}

function placeOf(cookie: string): { secret: Buffer; board: NoteBoard; name: string } | undefined {
  const [, kind, text] = COOKIE.exec(cookie) ?? [];
  if (text === undefined) return undefined;
  const secret = Buffer.from(text, 'base64url');
  return { secret, board: BOARDS[kind as keyof typeof BOARDS], name: sessionName(secret) };
}
