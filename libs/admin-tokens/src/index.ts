/**
 * admin-tokens: credentials of those who administer, beside the owner's ADMIN_TOKEN: made, listed, rotated, taken back, and
 * recognised. Each has a role.
 * Not here: what a role may do. That is the control plane's table.
 */
export { AdminTokens, type AdminIdentity, type NewAdminToken } from './admin-tokens';
export { ADMIN_ROLES, ADMIN_TOKEN_PREFIX, stateOfAdminToken } from './admin-token';
export type { AdminRole, AdminTokenRecord, AdminTokenState } from './admin-token';
