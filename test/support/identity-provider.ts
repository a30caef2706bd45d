import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startChild } from './children';
import { createSigner, type TokenSigner } from './token-signer';

export interface TestIdentityProvider {
  issuer: string;
  jwksUri: string;
  /** A new access token by client credentials. */
  token(options: { audience: string; expiresIn?: number; algorithm?: string }): Promise<string>;
  /** Signs with new keys from now on; the old ones stay published unless `keepOld` is false. */
  rotateKeys(options?: { keepOld?: boolean }): Promise<void>;
  stop(): Promise<void>;
}

/** A real OpenID provider (npm oidc-provider) on a free loopback port. */
export async function startIdentityProvider(): Promise<TestIdentityProvider> {
  const script = join(__dirname, 'oidc-provider.mjs');
  const child = await startChild(process.execPath, [script], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  // It warns that a test set-up is not fit for production; shown only if that turns out to matter.
  let complaints = '';
  child.process.stderr!.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const told = async (): Promise<{ port?: number }> => {
    const message = once(child.process, 'message') as Promise<[{ port?: number }]>;
    const end = child.exited.then(() => Promise.reject(new Error(`the provider ended: ${complaints}`)));
    return (await Promise.race([message, end]))[0];
  };
  const issuer = `http://127.0.0.1:${(await told()).port}`;
  return {
    issuer,
    jwksUri: `${issuer}/jwks`,
    token: (options) => requestToken(issuer, options),
    async rotateKeys({ keepOld = true } = {}) {
      const rotated = told();
      child.process.send({ rotate: { keepOld } });
      await rotated;
    },
    stop: async () => void (await child.end('SIGTERM')),
  };
}

async function requestToken(
  issuer: string,
  {
    audience,
    expiresIn = 600,
    algorithm = 'RS256',
  }: { audience: string; expiresIn?: number; algorithm?: string },
): Promise<string> {
  const resource = `urn:gatehouse-test:${algorithm}:${expiresIn}:${encodeURIComponent(audience)}`;
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('test-client:test-secret').toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'api', resource }),
  });
  const answer = (await response.json()) as { access_token?: string };
  if (!answer.access_token) throw new Error(`no token: ${JSON.stringify(answer)}`);
  return answer.access_token;
}

export type Behaviour =
  | 'ok'
  | 'hang'
  | 'drip'
  | 'error'
  | 'redirect'
  | 'redirect inside'
  | 'huge'
  | 'enormous'
  | 'empty'
  | 'garbage';

/** A question about an opaque token, as it came. */
export interface Question {
  token: string | null;
  authorization: string | undefined;
}

export interface FakeIssuer extends TokenSigner {
  /** Where it serves, without a slash at the end. */
  url: string;
  jwksUri: string;
  /** Its configuration document; tests may put anything here. */
  configuration: Record<string, unknown>;
  introspectionUri: string;
  /** What is answered to questions about opaque tokens, by token; anything else is not active. */
  opaque: Map<string, Record<string, unknown>>;
  questions: Question[];
  /** How the JWKS and the introspection endpoint answer from now on. */
  behave(behaviour: Behaviour): void;
  /** How often the key set was asked for. */
  fetches: number;
  /** Ends it together with its open connections. */
  stop(): Promise<void>;
}

/** An issuer that signs whatever it is told to, and whose JWKS endpoint can misbehave. */
export async function startFakeIssuer(signer: TokenSigner = createSigner()): Promise<FakeIssuer> {
  let behaviour: Behaviour = 'ok';
  const server = createServer((request, response) => {
    if (request.url === CONFIGURATION) return void response.end(JSON.stringify(fake.configuration));
    if (request.url === '/introspect') return void answerQuestion(request, response, fake, behaviour);
    fake.fetches += 1;
    ANSWERS[request.url === '/elsewhere' ? 'ok' : behaviour](response, fake);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const fake: FakeIssuer = Object.assign(signer, {
    url,
    jwksUri: `${url}/jwks`,
    configuration: { issuer: url, jwks_uri: `${url}/jwks` },
    introspectionUri: `${url}/introspect`,
    opaque: new Map<string, Record<string, unknown>>(),
    questions: [] as Question[],
    behave: (next: Behaviour) => void (behaviour = next),
    fetches: 0,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  });
  return fake;
}

const CONFIGURATION = '/.well-known/openid-configuration';

async function answerQuestion(
  request: IncomingMessage,
  response: ServerResponse<IncomingMessage>,
  fake: FakeIssuer,
  behaviour: Behaviour,
): Promise<void> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const token = new URLSearchParams(body).get('token');
  fake.questions.push({ token, authorization: request.headers.authorization });
  if (behaviour !== 'ok') return ANSWERS[behaviour](response, fake);
  response.end(JSON.stringify(fake.opaque.get(token ?? '') ?? { active: false }));
}

const ANSWERS: Record<Behaviour, (response: ServerResponse<IncomingMessage>, fake: FakeIssuer) => void> = {
  ok: (response, fake) => response.end(JSON.stringify(fake.jwks)),
  hang: () => {},
  drip: (response) => {
    const timer = setInterval(() => response.write(' '), 20);
    response.once('close', () => clearInterval(timer));
  },
  error: (response, fake) => response.writeHead(500).end(JSON.stringify(fake.jwks)),
  redirect: (response, fake) =>
    response.writeHead(302, { location: '/elsewhere' }).end(JSON.stringify(fake.jwks)),
  // A metadata service, which hands credentials to whoever asks.
  'redirect inside': (response) => response.writeHead(302, { location: 'http://169.254.169.254/keys' }).end(),
  enormous: (response, fake) =>
    response.end(JSON.stringify({ ...fake.jwks, padding: 'x'.repeat(10 * 1024 * 1024) })),
  huge: (response, fake) => response.end(JSON.stringify({ ...fake.jwks, padding: 'x'.repeat(300 * 1024) })),
  empty: (response) => response.end('{"keys":[]}'),
  garbage: (response) => response.end('<html>Sign in</html>'),
};
