export { AclError } from "./errors.ts";
export type { AclErrorCode } from "./errors.ts";
export { DEFAULT_ITERATIONS, fastDigest, hashPassword, verifyPassword } from "./password.ts";
export type { HashOptions } from "./password.ts";
