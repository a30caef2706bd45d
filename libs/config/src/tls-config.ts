import type { SettingValues } from './settings';

/** The HTTPS listener; at least one of `pair` and `dir` is there. The files are read by #libs/certificates. */
export interface TlsConfig {
  readonly port: number;
  readonly pair?: { readonly certFile: string; readonly keyFile: string };
  readonly dir?: string;
  readonly strictSni: boolean;
}

/** A year, as browsers' preload lists ask for. */
const HSTS_SECONDS = 31_536_000;

/** @returns undefined without TLS_PORT. */
export function tlsConfig(values: SettingValues, problems: string[]): TlsConfig | undefined {
  const { TLS_PORT: port, TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile, TLS_CERT_DIR: dir } = values;
  if (certFile !== undefined && keyFile === undefined) problems.push('TLS_CERT_FILE needs TLS_KEY_FILE');
  if (certFile === undefined && keyFile !== undefined) problems.push('TLS_KEY_FILE needs TLS_CERT_FILE');
  if (port === undefined) return undefined;
  if (certFile === undefined && keyFile === undefined && dir === undefined)
    problems.push('TLS_PORT needs TLS_CERT_FILE and TLS_KEY_FILE, or TLS_CERT_DIR');
  for (const other of ['PORT', 'ADMIN_PORT'] as const) {
    if (port !== 0 && port === values[other]) problems.push(`TLS_PORT must be another port than ${other}`);
  }
  const pair =
    certFile === undefined || keyFile === undefined ? undefined : Object.freeze({ certFile, keyFile });
  return Object.freeze({ port, pair, dir, strictSni: values.TLS_STRICT_SNI });
}

/** How long browsers are to use nothing but https (RFC 6797); 0 says nothing. */
export function hstsMaxAgeSeconds(values: SettingValues): number {
  return values.HSTS_MAX_AGE_SECONDS ?? (values.FORCE_HTTPS ? HSTS_SECONDS : 0);
}
