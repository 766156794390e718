/** What programs and tests may use of the command line's parts: certificates, made as `ferrite certs` makes them. */
export {
  createAuthority,
  ensureDevelopmentCertificates,
  issueClientCertificate,
  issueNodeCertificate,
} from "./certs/index.ts";
export type { CertificatePair, PeerCertificateFiles } from "./certs/index.ts";
