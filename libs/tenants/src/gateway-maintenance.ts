import type { Logger } from '#libs/logging';
import { StoreUnavailableError, keys, type Store } from '#libs/store';
import { parseMaintenance } from './check-maintenance';
import { ServedMaintenance } from './served-maintenance';
import { isWrongType } from './tenant-index';

/** How often it is looked whether changes may have been missed. */
const LOOK_MS = 1000;
/** How old it gets at most where the feed cannot vouch for it. */
const REREAD_AFTER_MS = 2000;

/**
 * The maintenance of the whole gateway, in memory, following the store. While the store is away the last that was known
 * counts: nobody begins or ends a maintenance by unplugging something.
 */
export class GatewayMaintenance {
  /** Undefined while there is none. */
  current: ServedMaintenance | undefined = undefined;
  private text: string | undefined = undefined;
  private timer: NodeJS.Timeout | undefined;
  private epoch = NaN;
  private readAt = 0;
  private reading = false;
  private again = false;
  private readonly listeners: Array<() => void> = [];

  constructor(
    private readonly store: Store,
    private readonly logger: Logger,
  ) {}

  /** Begins to follow, until `close`; does not wait for the store. */
  start(): void {
    if (this.timer) return;
    this.store.changes.subscribe((key) => {
      if (key === undefined || key === keys.GATEWAY_MAINTENANCE) void this.read();
    });
    this.timer = setInterval(() => this.look(), LOOK_MS).unref();
    if (this.store.recalledAt !== undefined) void this.read();
    void this.store.ready().then(() => this.read());
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Calls `listener` whenever there is another one than before. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** A feed that breaks cannot announce it. */
  private look(): void {
    if (this.store.state !== 'ready') return;
    const { epoch, trustMs } = this.store.changes;
    const old = trustMs !== Infinity && Date.now() - this.readAt >= REREAD_AFTER_MS;
    if (old || epoch !== this.epoch) void this.read();
  }

  /** One read at a time; a change during it calls for another. */
  private async read(): Promise<void> {
    if (this.reading) {
      this.again = true;
      return;
    }
    this.reading = true;
    try {
      do {
        this.again = false;
        const { epoch } = this.store.changes;
        const readAt = Date.now();
        this.take(await this.store.documents.get(keys.GATEWAY_MAINTENANCE));
        this.epoch = epoch;
        this.readAt = readAt;
      } while (this.again && this.timer);
    } catch (error) {
      if (isWrongType(error)) this.complain(error.message);
      else if (!(error instanceof StoreUnavailableError)) this.complain(String(error));
    } finally {
      this.reading = false;
    }
  }

  private take(text: string | undefined): void {
    if (!this.timer || text === this.text) return;
    this.text = text;
    if (text === undefined) this.current = undefined;
    else {
      const { maintenance, problems } = parseMaintenance(text);
      // Whatever it says, it says that there is one.
      if (problems) this.complain(problems);
      this.current = new ServedMaintenance(maintenance ?? {});
    }
    for (const listener of this.listeners) listener();
  }

  private complain(problems: unknown): void {
    this.logger.error(
      { category: 'policy', problems },
      'the stored maintenance of the gateway cannot be read',
    );
  }
}
