import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientEnvironment } from '#libs/config';
import { misuse } from './failure';

/** How a command was told where the gateway is. */
export interface ConnectionOptions {
  url?: string;
  token?: string;
  tokenFile?: string;
}

/**
 * Address of the control plane, without a slash at the end.
 * @throws Failure if it is no http or https URL
 */
export function baseUrl(given: string | undefined, environment: ClientEnvironment): URL {
  const name = given === undefined ? 'GATEHOUSE_URL' : '--url';
  const text = given ?? environment.url;
  if (!URL.canParse(text)) throw misuse(`${name} must be a URL, such as http://localhost:3000`);
  const url = new URL(text);
  if (!['http:', 'https:'].includes(url.protocol))
    throw misuse(`${name} must start with http:// or https://`);
  if (url.username || url.password) throw misuse(`${name} must not carry a user or password`);
  if (url.search || url.hash) throw misuse(`${name} must not have a query or fragment`);
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}

/**
 * The admin token: given, from the environment, or that of the gateway on this machine.
 * @throws Failure if there is none, or one that no header can carry
 */
export function adminToken(options: ConnectionOptions, url: URL, environment: ClientEnvironment): string {
  const token = given(options) ?? environment.token ?? (isLoopback(url) ? local(environment) : undefined);
  if (token === undefined) {
    throw misuse(
      'there is no admin token: set GATEHOUSE_ADMIN_TOKEN, or name its file with --token-file' +
        (isLoopback(url) ? '' : ' (the file in DATA_DIR is only used for a gateway on this machine)'),
    );
  }
  if (!/^[\x21-\x7e]+$/.test(token)) throw misuse('the admin token must be printable ASCII without spaces');
  return token;
}

function given({ token, tokenFile }: ConnectionOptions): string | undefined {
  if (token !== undefined && tokenFile !== undefined) {
    throw misuse('--token and --token-file exclude each other');
  }
  return tokenFile === undefined ? token : read(tokenFile);
}

function local({ local: { token, dataDir } }: ClientEnvironment): string | undefined {
  if (token !== undefined) return token;
  const file = join(dataDir, 'admin-token');
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw misuse(`the admin token cannot be read: ${message}`);
  }
}

function read(file: string): string {
  try {
    const token = readFileSync(file, 'utf8').trim();
    if (token !== '') return token;
  } catch (error) {
    throw misuse(`--token-file cannot be read: ${(error as Error).message}`);
  }
  throw misuse('--token-file is empty');
}

/** Whether requests stay on this machine. */
function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
