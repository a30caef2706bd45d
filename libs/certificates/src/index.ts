/**
 * certificates: the TLS certificates that this process shows to its clients. Finds them in files and folders, loads
 * them, takes up changes while it runs, chooses one by the name a client asks for, and warns before they expire.
 * Not here: the listener that shows them, and certificates of upstreams.
 */
export { openCertificates, type Certificates } from './certificates';
export { TLS_TERMS } from './certificate';
export type { CertificateChoice } from './certificate-choice';
