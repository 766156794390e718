export type { CommandCatalogue, CommandEntry } from "./catalogue.ts";
export { KeyAccess, Verdict } from "./access-request.ts";
export type { AccessRequest } from "./access-request.ts";
export type {
  ApplyOutcome,
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
  hashPassword,
  parseStoredPassword,
  verifyPassword,
} from "./password.ts";
export type { HashOptions, StoredPassword } from "./password.ts";
export { formatUserLine } from "./user-line.ts";
export { createUserTable, DEFAULT_USER_RULES } from "./user-table.ts";
export { DEFAULT_ACL_LIMITS } from "./limits.ts";
export type { AclLimits } from "./limits.ts";
