export type { CommandCatalogue, CommandEntry } from "./catalogue.ts";
export { KeyAccess, Verdict } from "./access-request.ts";
export type { AccessRequest } from "./access-request.ts";
export type {
  ApplyOutcome,
  KnownCommands,
  NewCommandsPolicy,
  SelectorDescription,
  User,
  UserTable,
  UserTableRecord,
  UsersChange,
} from "./api.ts";
export { AclError } from "./errors.ts";
export type { AclErrorCode } from "./errors.ts";
export {
  DEFAULT_ITERATIONS,
  fastDigest,
  formatStoredPassword,
  hashDigest,
  hashDigestSync,
  hashPassword,
  needsRehash,
  parseStoredPassword,
  verifyDigest,
  verifyDigestSync,
  verifyPassword,
} from "./password.ts";
export type { HashOptions, StoredPassword } from "./password.ts";
export { formatUserLine } from "./user-line.ts";
export { createUserTable, DEFAULT_USER_RULES } from "./user-table.ts";
export { DEFAULT_ACL_LIMITS } from "./limits.ts";
export type { AclLimits } from "./limits.ts";
export { PASSWORD_BYTES_MAX, PASSWORD_RULES_MAX, prepareRules } from "./prepare-rules.ts";
export type { PasswordWork, PreparedRules } from "./prepare-rules.ts";
export { ACL_FILE_BYTES_MAX, ACL_LINE_BYTES_MAX, parseAclFile } from "./acl-file.ts";
export type { AclFileError, AclFileUser, ParsedAclFile } from "./acl-file.ts";
export { formatAclFile } from "./acl-file-format.ts";
export { explainAccess } from "./explain.ts";
export type { AccessExplanation, AccessFinding, SelectorExplanation } from "./explain.ts";
