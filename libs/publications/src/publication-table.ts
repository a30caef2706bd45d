import { setImmediate as nextTurn } from 'node:timers/promises';
import { GatewayError, type FieldProblem } from '#libs/errors';
import type { Logger } from '#libs/logging';
import { StoreUnavailableError, keys, type Store } from '#libs/store';
import { isWrongType } from '#libs/tenants';
import { parsePublication } from './check-publication';
import { compileRoutes } from './compile-routes';
import type { PublishedRoute } from './published-route';
import { USUAL_RESERVATIONS, type Reservations } from './reserved';
import { RouteIndex } from './route-index';

/** How often it is looked whether the table is still current. */
const LOOK_MS = 1000;
/** How old the table gets at most where the feed cannot vouch for it, beside the time that reading takes. */
const REREAD_AFTER_MS = 2000;
/** Documents that are read at once. */
const PAGE = 100;

/**
 * What all tenants publish, in memory, following the store (docs/adr/0011). A change takes effect as soon as the store
 * announces it; where the feed of changes cannot vouch for itself everything is read again, so that nothing is older than
 * 5 s while the store can be reached. While it cannot, the table serves what it knows, for `maxStaleMs`.
 */
export class PublicationTable {
  private readonly index: RouteIndex;
  /** The text that each tenant's routes were made from. */
  private readonly texts = new Map<string, string>();
  /** Documents that cannot be served, as far as they have been complained about. */
  private readonly complaints = new Map<string, string>();
  /** Tenants whose document has changed and was not read since. */
  private readonly changed = new Set<string>();
  /** Everything has to be read. */
  private everything = true;
  private reading = false;
  private isLoaded = false;
  private outdated = false;
  /** The epoch in which everything was last read, and the last moment at which the table was known to be current. */
  private epoch = NaN;
  private readAt = 0;
  private currentAt = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly listeners: Array<(tenantId: string) => void> = [];
  private markLoaded: () => void = () => undefined;
  /** Resolves when everything has been read once. */
  readonly loaded = new Promise<void>((resolve) => (this.markLoaded = resolve));

  /** @param maxStaleMs how long what is known is served while the store is away. */
  constructor(
    private readonly store: Store,
    private readonly logger: Logger,
    private readonly maxStaleMs: number,
    private readonly reservations: Reservations = USUAL_RESERVATIONS,
  ) {
    this.index = new RouteIndex(reservations.always);
  }

  /** Begins to read and to follow, until `close`; does not wait for the store. */
  start(): void {
    if (this.timer) return;
    this.store.changes.subscribe((key) => this.note(key));
    this.timer = setInterval(() => this.look(), LOOK_MS).unref();
    if (this.store.recalledAt !== undefined) void this.read();
    void this.store.ready().then(() => {
      this.everything = true;
      return this.read();
    });
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /**
   * The route of a request, or undefined if nothing is published there; see `RouteIndex`.
   * @throws GatewayError not_ready before everything has been read, store_unavailable when it was too long ago,
   *   tenant_misconfigured for a route whose document is broken by now
   */
  find(host: string, path: string, method: string, headers: readonly string[]): PublishedRoute | undefined {
    // Not 404: of what has not been read yet nobody can say that it is not there.
    if (!this.isLoaded) throw new GatewayError('not_ready', undefined, { headers: { 'Retry-After': '1' } });
    if (this.outdated)
      throw new GatewayError('store_unavailable', undefined, { headers: { 'Retry-After': '1' } });
    const route = this.index.find(host, path, method, headers);
    if (route?.broken) throw new GatewayError('tenant_misconfigured');
    return route;
  }

  /**
   * Calls `listener` whenever other routes of a tenant are served than before. That is later than the store announces the
   * change, by the time that reading takes.
   */
  onChange(listener: (tenantId: string) => void): void {
    this.listeners.push(listener);
  }

  /** Ids of other tenants that publish the same as a route which is served. */
  rivalsOf(route: PublishedRoute): string[] {
    return this.index.rivalsOf(route);
  }

  /** Ids of the services that published routes lead to. */
  services(): ReadonlySet<string> {
    return new Set(this.index.services());
  }

  private note(key: string | undefined): void {
    if (!this.timer) return;
    const tenantId = key === undefined ? undefined : keys.publisherOf(key);
    if (tenantId !== undefined) this.changed.add(tenantId);
    else if (key === undefined) this.everything = true;
    else return;
    void this.read();
  }

  /** A feed that breaks cannot announce it, so its epoch and its trust are looked at. */
  private look(): void {
    const now = Date.now();
    const { epoch, trustMs } = this.store.changes;
    const away = this.store.state !== 'ready';
    const vouched = !away && epoch === this.epoch && trustMs === Infinity && !this.everything;
    if (vouched) this.currentAt = now;
    this.outdated = this.isLoaded && away && now - this.currentAt >= this.maxStaleMs;
    if (away || vouched) return;
    const old = now - this.readAt >= REREAD_AFTER_MS;
    if (epoch !== this.epoch || (trustMs !== Infinity && old)) this.everything = true;
    void this.read();
  }

  /** One run at a time; what changes during it is taken up by it. */
  private async read(): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    try {
      while (this.timer && (this.everything || this.changed.size > 0)) {
        if (this.everything) await this.readEverything();
        else await this.readChanged();
      }
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) && this.timer)
        this.logger.error({ category: 'policy', err: error }, 'what is published could not be read');
    } finally {
      this.reading = false;
    }
  }

  private async readChanged(): Promise<void> {
    const tenants = [...this.changed].slice(0, PAGE);
    try {
      // Before they are read: a change that comes meanwhile must bring its tenant back.
      for (const id of tenants) this.changed.delete(id);
      await this.readAll(tenants);
    } catch (error) {
      for (const id of tenants) this.changed.add(id);
      throw error;
    }
  }

  /** Document after document, each put in its place at once; what is unchanged is not compiled again. */
  private async readEverything(): Promise<void> {
    const { epoch } = this.store.changes;
    const begunAt = Date.now();
    const { recalledAt } = this.store;
    this.everything = false;
    try {
      const published = new Set<string>();
      for (let after = '', page: string[]; ; after = page.at(-1) ?? '') {
        page = await this.store.documents.indexPage(keys.PUBLICATION_INDEX, after, PAGE);
        for (const id of page) published.add(id);
        await this.readAll(page);
        if (page.length < PAGE) break;
      }
      // Others than those of the index may have been announced; whether they are still there is asked as well.
      await this.readAll([...this.texts.keys()].filter((id) => !published.has(id)));
    } catch (error) {
      this.everything = true;
      throw error;
    }
    this.epoch = epoch;
    this.readAt = begunAt;
    this.currentAt = recalledAt ?? begunAt;
    this.outdated = false;
    if (this.isLoaded) return;
    this.isLoaded = true;
    this.markLoaded();
  }

  private async readAll(tenants: readonly string[]): Promise<void> {
    const texts = await Promise.all(tenants.map((id) => this.textOf(id)));
    for (const [place, id] of tenants.entries()) {
      const text = texts[place];
      if (typeof text === 'object') this.keepBroken(id, [{ field: '', message: text.wrongType }]);
      else if (text === this.texts.get(id)) this.markSound(id);
      else {
        this.put(id, text);
        // Requests get their turn between one tenant's routes and the next one's.
        await nextTurn();
      }
    }
  }

  private async textOf(tenantId: string): Promise<string | { wrongType: string } | undefined> {
    try {
      return await this.store.documents.get(keys.publication(tenantId));
    } catch (error) {
      if (isWrongType(error)) return { wrongType: error.message };
      throw error;
    }
  }

  private put(tenantId: string, text: string | undefined): void {
    if (text === undefined) {
      this.complaints.delete(tenantId);
      this.texts.delete(tenantId);
      this.index.set(tenantId, []);
      return this.tell(tenantId);
    }
    const { publication, problems } = parsePublication(tenantId, text, this.reservations);
    if (!publication) return this.keepBroken(tenantId, problems);
    this.complaints.delete(tenantId);
    this.texts.set(tenantId, text);
    const routes = compileRoutes(publication);
    const file = this.store.documents.declaredIn?.(keys.publication(tenantId));
    for (const route of routes) route.declaredIn = file;
    for (const [route, rival] of this.index.set(tenantId, routes)) this.complainOf(route, rival);
    this.tell(tenantId);
  }

  /** Files do not clash with each other (docs/adr/0012), but with what is stored, and that with what other programs write. */
  private complainOf(route: PublishedRoute, rival: PublishedRoute): void {
    const [served, hidden] = route.compare(rival) < 0 ? [route, rival] : [rival, route];
    const about = { category: 'policy', tenants: [served.tenantId, hidden.tenantId], path: route.path };
    if (served.declaredIn === undefined)
      this.logger.error(about, 'two tenants publish the same: the one whose id sorts first is served');
    else
      this.logger.warn(
        { ...about, file: served.declaredIn },
        'a stored publication is hidden by a file that publishes the same',
      );
  }

  private tell(tenantId: string): void {
    for (const listener of this.listeners) listener(tenantId);
  }

  /** The paths that the last good document published are refused, rather than served or left to the routes above them. */
  private keepBroken(tenantId: string, problems: readonly FieldProblem[]): void {
    for (const route of this.index.routesOf(tenantId)) route.broken = true;
    // It is read again and again where the feed cannot vouch for it.
    const complaint = JSON.stringify(problems);
    if (this.complaints.get(tenantId) === complaint) return;
    this.complaints.set(tenantId, complaint);
    this.logger.error({ category: 'policy', tenantId, problems }, 'the stored publication cannot be served');
    this.tell(tenantId);
  }

  private markSound(tenantId: string): void {
    this.complaints.delete(tenantId);
    for (const route of this.index.routesOf(tenantId)) route.broken = false;
  }
}
