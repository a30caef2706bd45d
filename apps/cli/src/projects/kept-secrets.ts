import type { Document } from '../admin-api';
import { Failure } from '../failure';
import type { Project } from './project';

/** A secret of a tenant as it is shown: where it is in a file, and whose it is. */
interface Shown {
  readonly field: string;
  readonly name: string;
  readonly secret: unknown;
}

/** Fields of a tenant that say no more of a secret than that the gateway has it. */
export function keptFields(tenant: Document): string[] {
  return secretsOf(tenant).flatMap(({ field, secret }) => (isKept(secret) ? [`project.${field}`] : []));
}

/**
 * Sees that the gateway has every secret that a file leaves to it.
 * @throws Failure before anything has been changed
 */
export function demandKept(wanted: Project, found: Project | undefined): void {
  const there = new Set(secretsOf(found?.tenant ?? {}).map(known));
  // Not in the form that is compared, in which every secret is a digest.
  const missing = secretsOf(wanted.sent ?? wanted.tenant).filter(
    (one) => isKept(one.secret) && !there.has(known(one)),
  );
  if (missing.length === 0) return;
  const fields = missing.map(({ field }) => `project.${field}`).join(', ');
  throw new Failure(
    `${wanted.id}: ${fields} is not in the file, and the gateway has none for the same place to keep: ` +
      'write the secret there, as {{env "NAME"}}',
  );
}

function known({ name, secret }: Shown): string {
  return `${name} ${JSON.stringify(secret)}`;
}

function isKept(secret: unknown): boolean {
  return typeof secret === 'object' && secret !== null && ('kept' in secret || 'digest' in secret);
}

function secretsOf({ idp, idps, signatureKeys }: Document): Shown[] {
  const keys = Object.entries((signatureKeys ?? {}) as Record<string, { secret: unknown }>);
  return [
    ...(idp ? ofProvider(idp as Document, 'idp') : []),
    ...((idps ?? []) as Document[]).flatMap((each, index) => ofProvider(each, `idps.${index}`)),
    ...keys.map(([id, { secret }]) => ({
      field: `signatureKeys.${id}.secret`,
      name: `signature key ${id}`,
      secret,
    })),
  ];
}

/** A client secret is for its endpoint alone: the gateway does not keep it for another one. */
function ofProvider({ issuer, secrets, introspection }: Document, field: string): Shown[] {
  const { endpoint, clientId, clientSecret } = (introspection ?? {}) as Document;
  const shared = ((secrets ?? []) as unknown[]).map((secret, index) => ({
    field: `${field}.secrets.${index}`,
    name: JSON.stringify([issuer]),
    secret,
  }));
  if (introspection === undefined) return shared;
  const name = JSON.stringify([issuer, endpoint, clientId]);
  return [...shared, { field: `${field}.introspection.clientSecret`, name, secret: clientSecret }];
}
