/** Requests are refused for a while: of a tenant, of a service, or of everybody. Where there is none, there is none. */
export interface Maintenance {
  /** Said to clients. */
  message?: string;
  /** ISO 8601: over from then on, by the clock of each replica. Absent: until it is removed. */
  until?: string;
  /** When clients are to come back, where nothing says when it is over. Absent means 60. */
  retryAfterSeconds?: number;
  /** Addresses and CIDR blocks that are served all the same. */
  allowedIps?: string[];
  /** Lower-case hex SHA-256 of what operators send as `X-Maintenance-Bypass` to be served all the same. */
  bypassSha256?: string;
}
