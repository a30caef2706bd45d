import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { join, resolve } from 'node:path';
import type { GatewayConfig } from '#libs/config';
import type { Logger } from '#libs/logging';

/**
 * The owner's token: the one that is set, or else one generated at the first start and kept in the data folder.
 * @returns undefined when it is not set and the folder cannot be written: the control plane then refuses to serve.
 */
export function resolveAdminToken(
  config: Pick<GatewayConfig, 'adminToken' | 'dataDir'>,
  logger: Logger,
): string | undefined {
  if (config.adminToken !== undefined) return config.adminToken;
  const file = resolve(join(config.dataDir, 'admin-token'));
  try {
    const token = readOrCreate(config.dataDir, file);
    logger.info({ file }, 'ADMIN_TOKEN is not set: the admin token is in this file');
    return token;
  } catch (error) {
    logger.error({ file, reason: (error as Error).message }, 'ADMIN_TOKEN is not set and none can be kept');
    return undefined;
  }
}

function readOrCreate(folder: string, file: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!existsSync(file)) create(file);
  const token = readFileSync(file, 'utf8').trim();
  if (token === '') throw new Error('the file is empty: delete it, and a new token is made');
  return token;
}

/** Under another name first: whoever finds the file finds a whole token, also after a crash. */
function create(file: string): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  try {
    // Of two processes that start at once, the first to link wins and both read its token.
    linkSync(draft, file);
  } catch (error) {
    // Some network volumes have no links; renaming is as good there, but for two that start at once.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Whether a request carries a token of the control plane, in `X-Admin-Token` or as a bearer token; compared in constant time. */
export function carriesAdminToken(headers: IncomingHttpHeaders, adminToken: string): boolean {
  const own = headers['x-admin-token'];
  const offered = typeof own === 'string' ? own : /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  // Digests have one length, whatever was offered.
  return offered !== undefined && timingSafeEqual(digest(offered), digest(adminToken));
}

function digest(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
