/** Certificates of a node: reading, checking, keeping to their files. Also for programs that only want to look at some. */
export { CertificateError, type CertificateErrorCode, type CertificateProblem } from "./errors.ts";
export { inspectCredentials, type CredentialInspection, type InspectOptions } from "./inspect.ts";
export type { CredentialUse } from "./live-credentials.ts";
