/** The claims of a service token, all of them: a JWT that the gateway signs for one service of a project. */
export interface ServiceTokenClaims {
  jti: string;
  /** The tenant's id. */
  project: string;
  service: string;
  /** Seconds since the epoch, as in RFC 7519. */
  iat: number;
  exp: number;
}

/** The service whose tokens open the portal of their project, and no route. */
export const PORTAL_SERVICE = 'portal';

/** Who took a token back, when and why. */
export interface Revocation {
  /** ISO 8601. */
  at: string;
  actor: string;
  reason: string;
}

/** What is kept of an issued token, and what takes one back: the document under `tenant:token:{jti}`. Never the token. */
export interface ServiceTokenRecord {
  jti: string;
  project: string;
  service: string;
  description?: string;
  /** ISO 8601. */
  createdAt: string;
  expiresAt: string;
  createdBy: string;
  revoked?: Revocation;
}
