export { createAuthority } from "./authority.ts";
export type { AuthorityOptions, CertificatePair } from "./authority.ts";
export {
  authorityPaths,
  clientPaths,
  nodePaths,
  readAuthority,
  writePair,
} from "./certificate-files.ts";
export type { CertificatePaths } from "./certificate-files.ts";
export { certsCommand } from "./certs-command.ts";
export type { CertsOutput } from "./certs-command.ts";
export { ensureDevelopmentCertificates } from "./development.ts";
export type { PeerCertificateFiles } from "./development.ts";
export { CertificateError } from "./errors.ts";
export type { CertificateErrorCode } from "./errors.ts";
export { issueClientCertificate, issueNodeCertificate } from "./issue.ts";
export type { ClientCertificateOptions, NodeCertificateOptions } from "./issue.ts";
