import { loadConfig, readEnvironment, type GatewayConfig } from '#libs/config';

const TIMEOUT_MS = 3000;
const ANY_ADDRESS = ['0.0.0.0', '::'];

/** The exit code says whether the gateway of the same environment is ready, for the HEALTHCHECK of an image without a shell. */
async function check(config: GatewayConfig): Promise<number> {
  const host = config.host === undefined || ANY_ADDRESS.includes(config.host) ? '127.0.0.1' : config.host;
  // Of a control plane alone only ADMIN_PORT is open, of a data plane only PORT.
  const ports = [config.port, config.adminPort].filter((port) => port !== undefined);
  const answers = await Promise.all(ports.map((port) => isReady(host, port)));
  return answers.includes(true) ? 0 : 1;
}

async function isReady(host: string, port: number): Promise<boolean> {
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    return (await fetch(`http://${authority}/readyz`, { signal, redirect: 'manual' })).ok;
  } catch {
    return false;
  }
}

void check(loadConfig(readEnvironment())).then((code) => process.exit(code));
