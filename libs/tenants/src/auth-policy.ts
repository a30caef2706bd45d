/** What a route or service asks of the bearer token of a request, beside that there be one. */
export interface AuthPolicy {
  /** Whether a token is asked for. The rest counts only if it is. */
  jwt: boolean;
  /**
   * Issuers accepted here, out of those that the tenant trusts; absent: all of them. `gateway` stands for the tokens
   * that Gatehouse signs itself.
   */
  issuers?: string[];
  /**
   * Accepted values by claim: the token must have each claim, with one of its values. A list in the token matches if one of
   * its items does. Absent for tokens that Gatehouse signs: their `project` must be the tenant's id.
   */
  claims?: Record<string, string[]>;
  /** All of these must be in `scope` (space-separated, RFC 8693 §4.2) or `scp`. */
  scopes?: string[];
  /** One of these must be in `roles`, or in `realm_access.roles` as Keycloak writes them. */
  roles?: string[];
  /** What the upstream is told: claims by the header that carries them. A client's own such headers are removed. */
  claimHeaders?: Record<string, string>;
}
