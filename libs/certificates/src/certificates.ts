import { open } from 'node:fs/promises';
import { ConfigError, type TlsConfig } from '#libs/config';
import type { Logger } from '#libs/logging';
import { readCertificate, type Certificate } from './certificate';
import { CertificateChoice } from './certificate-choice';
import { findPairs, stateOf, type CertificatePair } from './certificate-pairs';
import { watchFolders, type FolderWatch } from './folder-watch';

/** Watching misses changes on some network volumes; looking does not. */
const POLL_MS = 10_000;
const DAY_MS = 86_400_000;
/** Authorities renew some 30 days ahead: whoever has two weeks left has a renewal that does not work. */
const WARNING_MS = 14 * DAY_MS;
/** A chain of RSA certificates has some 10 KB. */
const MAX_FILE_BYTES = 1_048_576;

/**
 * Reads the certificates of the settings and follows their changes from then on.
 * @throws ConfigError, a line per variable, when one that is named cannot be used, or when none of a folder can.
 */
export async function openCertificates(
  settings: Pick<TlsConfig, 'pair' | 'dir'>,
  logger: Logger,
): Promise<Certificates> {
  const certificates = new Certificates(settings, logger);
  await certificates.open();
  return certificates;
}

/** The certificates as they are now. What cannot be read takes the place of nothing: the one before it goes on serving. */
export class Certificates {
  private current: CertificateChoice | undefined;
  private seen: string | undefined;
  private checking: Promise<void> | undefined;
  private again = false;
  private watch: FolderWatch | undefined;
  private poll: NodeJS.Timeout | undefined;
  private daily: NodeJS.Timeout | undefined;
  private readonly listeners: Array<() => void> = [];

  constructor(
    private readonly settings: Pick<TlsConfig, 'pair' | 'dir'>,
    private readonly logger: Logger,
  ) {}

  get choice(): CertificateChoice {
    if (!this.current) throw new Error('the certificates have not been opened');
    return this.current;
  }

  /** Called after each change. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** When each certificate expires (milliseconds since the epoch), by its first host. */
  expiries(): Array<{ host: string; expiresAt: number }> {
    return this.choice.all.map(({ hosts, name, expiresAt }) => ({ host: hosts[0] ?? name, expiresAt }));
  }

  async open(): Promise<void> {
    this.watch = watchFolders(() => void this.check());
    const problems: string[] = [];
    await this.look(problems);
    if (problems.length > 0) {
      this.close();
      throw new ConfigError(problems);
    }
    this.poll = setInterval(() => void this.check(), POLL_MS).unref();
    this.daily = setInterval(() => this.warn(), DAY_MS).unref();
    this.warn();
  }

  close(): void {
    this.watch?.close();
    clearInterval(this.poll);
    clearInterval(this.daily);
  }

  /** Looks for changes; a call during another makes that look once more. */
  private check(): Promise<void> {
    this.again = true;
    this.checking ??= (async () => {
      while (this.again) {
        this.again = false;
        await this.look([]).catch((error: Error) =>
          this.logger.error({ reason: error.message }, 'the certificates cannot be looked for'),
        );
      }
      this.checking = undefined;
    })();
    return this.checking;
  }

  /** @param problems gets what keeps the process from starting; of no interest later, when there is something to serve. */
  private async look(problems: string[]): Promise<void> {
    const found = await findPairs(this.settings).catch((error: Error) => {
      if (this.current) throw error;
      problems.push(`TLS_CERT_DIR cannot be used: ${error.message}`);
      return { pairs: [], folders: [] };
    });
    this.watch?.follow(found.folders);
    // Before reading: what is written meanwhile is seen by the next look.
    const seen = await stateOf(found.pairs);
    if (seen === this.seen) return;
    const first = this.current === undefined;
    const loaded: Certificate[] = [];
    for (const pair of found.pairs) {
      const certificate = await this.load(pair, problems);
      if (certificate) loaded.push(certificate);
    }
    this.seen = seen;
    if (loaded.length > 0) this.take(loaded, first);
    else if (this.current) this.logger.error('no certificate is left that could be read: the old ones go on');
    else if (problems.length === 0) problems.push('TLS_CERT_DIR has no certificate that could be used');
  }

  private async load(pair: CertificatePair, problems: string[]): Promise<Certificate | undefined> {
    const old = this.current?.all.find(({ name }) => name === pair.name);
    try {
      const cert = await readSmall(pair.certFile);
      const key = await readSmall(pair.keyFile);
      if (old?.pem.cert === cert && old.pem.key === key) return old;
      const certificate = readCertificate(pair.name, cert, key);
      const now = Date.now();
      if (old && isValid(old, now) && !isValid(certificate, now))
        throw new Error('it is not valid now, and the one before it is');
      return certificate;
    } catch (error) {
      const reason = (error as Error).message;
      if (!this.current && pair.certFile === this.settings.pair?.certFile)
        problems.push(`TLS_CERT_FILE and TLS_KEY_FILE cannot be used: ${reason}`);
      else this.refused(pair, reason, old !== undefined);
      return old;
    }
  }

  private refused({ name, certFile, keyFile }: CertificatePair, reason: string, replaced: boolean): void {
    const consequence = replaced ? 'the one before it goes on serving' : 'it is left out';
    this.logger.error(
      { certificate: name, certFile, keyFile, reason },
      `certificate refused: ${consequence}`,
    );
  }

  private take(loaded: readonly Certificate[], first: boolean): void {
    const before = this.current?.all ?? [];
    this.current = new CertificateChoice(loaded);
    for (const certificate of loaded) {
      if (before.includes(certificate)) continue;
      const { name, hosts, fingerprint, expiresAt } = certificate;
      const expires = new Date(expiresAt).toISOString();
      this.logger.info({ certificate: name, hosts: hosts.slice(0, 20), fingerprint, expires }, 'certificate');
    }
    for (const { name } of before) {
      if (!loaded.some((certificate) => certificate.name === name))
        this.logger.info({ certificate: name }, 'certificate removed');
    }
    if (first) return;
    this.warn();
    for (const listener of this.listeners) listener();
  }

  private warn(): void {
    const now = Date.now();
    for (const { name, hosts, expiresAt } of this.choice.all) {
      if (expiresAt - now >= WARNING_MS) continue;
      const daysLeft = Math.floor((expiresAt - now) / DAY_MS);
      const message = expiresAt < now ? 'a certificate has expired' : 'a certificate expires soon';
      this.logger.warn({ certificate: name, hosts: hosts.slice(0, 20), daysLeft }, message);
    }
  }
}

function isValid({ validFrom, expiresAt }: Certificate, now: number): boolean {
  return validFrom <= now && now < expiresAt;
}

/** @throws Error also for a file that no certificate or key can be. */
async function readSmall(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > MAX_FILE_BYTES) throw new Error(`${path} is larger than ${MAX_FILE_BYTES} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
