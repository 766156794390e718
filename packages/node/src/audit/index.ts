/** What programs need to verify a trail without a node. */
export { readChainKey, type ChainKey } from "./chain-key.ts";
export { AuditError, type AuditErrorCode } from "./errors.ts";
export type { Anchor } from "./verify/chain-check.ts";
export type { Problem, ProblemKind, VerificationReport } from "./verify/findings.ts";
export { findTrailFiles, nodeOfTrail } from "./verify/trail-files.ts";
export { verifyTrail, type VerifyOptions } from "./verify/verify-trail.ts";
