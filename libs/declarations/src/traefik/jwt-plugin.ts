import type { IdentityProvider } from '#libs/tenants';
import type { Path } from '../problem';
import { secretIn, type Variables } from '../references';
import type { Effect } from './middlewares';
import type { Section } from './section';

type Secret = string | { env: string };

/** An identity provider that a middleware stands for. */
interface Signer extends Pick<IdentityProvider, 'issuer'> {
  audience: string[];
  algorithms: string[];
  secrets: Secret[];
}

/** Whose tokens the middlewares of a file ask for. */
export interface Trust {
  /** Whether the gateway's own are among them. */
  gateway: boolean;
  readonly signers: Signer[];
  /** Where each of the signers has its first secret from. */
  readonly places: Path[];
}

/** Secrets that the gateway knows tokens by anyway, and what policies call their holders. */
const KNOWN_SECRETS = [
  ['GATEWAY_JWT_SECRET', 'gateway'],
  ['JWT_SECRET_KEY', 'shared-secret'],
] as const;

const UNTOLD =
  'is neither GATEWAY_JWT_SECRET nor JWT_SECRET_KEY: then customClaims must have one iss, and aud, by which its tokens are told from others';

/** Reads the plugin that checks HS256 tokens: whoever has the secret, and the claims that are asked for. */
export function readJwtPlugin(jwt: Section, variables: Variables, trust: Trust): Effect | undefined {
  const secret = jwt.text('signingSecret');
  const variable = jwt.reading.source.variableAt([...jwt.path, 'signingSecret']);
  const claims = claimsOf(jwt.section('customClaims'));
  jwt.finish();
  if (secret === undefined || secret === '') {
    jwt.say('needs a signingSecret');
    return undefined;
  }
  if (variable === undefined)
    jwt.say('a secret stands in the file: write {{env `NAME`}}', 'warning', 'signingSecret');
  const known = KNOWN_SECRETS.find(([name]) => variables(name) === secret)?.[1];
  if (known === undefined) return signedBy(secretIn(secret, variable), claims, jwt, trust);
  if (known === 'gateway') trust.gateway = true;
  if (known === 'gateway' && claims.size === 0)
    jwt.say('without customClaims the claim "project" must be the name of this file', 'info');
  return policy(known, claims);
}

function signedBy(
  secret: Secret,
  claims: ReadonlyMap<string, string[]>,
  jwt: Section,
  trust: Trust,
): Effect | undefined {
  const { iss: [issuer, ...others] = [], aud: audience, ...rest } = Object.fromEntries(claims);
  if (issuer === undefined || others.length > 0 || audience === undefined) {
    jwt.say(UNTOLD, 'error', 'signingSecret');
    return undefined;
  }
  const signer = trust.signers.find((each) => each.issuer === issuer);
  if (!signer) {
    trust.signers.push({ issuer, audience, algorithms: ['HS256'], secrets: [secret] });
    trust.places.push([...jwt.path, 'signingSecret']);
  } else if (!signer.secrets.some((each) => JSON.stringify(each) === JSON.stringify(secret))) {
    jwt.say(`another middleware has another secret for the iss "${issuer}"`, 'error', 'signingSecret');
  } else if (signer.audience.join() !== audience.join()) {
    jwt.say(`another middleware has another aud for the iss "${issuer}"`, 'error', 'customClaims');
  }
  return policy(issuer, new Map(Object.entries(rest)));
}

function policy(issuer: string, claims: ReadonlyMap<string, string[]>): Effect {
  const asked = claims.size > 0 && { claims: Object.fromEntries(claims) };
  return { auth: { jwt: true, issuers: [issuer], ...asked } };
}

function claimsOf(section: Section | undefined): Map<string, string[]> {
  const claims = new Map<string, string[]>();
  for (const name of section?.names ?? []) {
    const value = section?.raw(name);
    const values: unknown[] = Array.isArray(value) ? value : [value];
    const usable =
      values.length > 0 && values.every((each) => ['string', 'number', 'boolean'].includes(typeof each));
    if (!usable) section?.say('must be a list of texts', 'error', name);
    claims.set(name, values.map(String));
  }
  return claims;
}
