/**
 * What users may cost. The limits take part in deciding whether a change is applied, so they have to be equal on all
 * nodes: they are part of the version, not of the configuration.
 */
export interface AclLimits {
  /** Users at once, the default user among them. */
  readonly usersMax: number;
  /** Bytes of a user's name: certificates name users by URIs and DNS names, which may be long. */
  readonly nameBytesMax: number;
  /** Command rules, key patterns and channel patterns of one user, over all its selectors. */
  readonly rulesPerUserMax: number;
  /** Bytes of one key or channel pattern: what one key can cost is its length times this. */
  readonly patternBytesMax: number;
  readonly selectorsPerUserMax: number;
  /** Each costs one slow hash at a failed login (20 ms), so few. */
  readonly passwordsPerUserMax: number;
  /** Bytes of a user's line. */
  readonly userBytesMax: number;
  /** Bytes of all lines: they have to fit into the header of a snapshot (32 MiB) with room to spare. */
  readonly tableBytesMax: number;
}

const KIB = 1024;

export const DEFAULT_ACL_LIMITS: AclLimits = {
  usersMax: 10_000,
  nameBytesMax: 512,
  rulesPerUserMax: 1_024,
  patternBytesMax: 1_024,
  selectorsPerUserMax: 32,
  passwordsPerUserMax: 16,
  userBytesMax: 64 * KIB,
  tableBytesMax: 8 * KIB * KIB,
};

/** Where nothing is limited: state that was accepted once is never refused when it is read back. */
export const NO_LIMITS: AclLimits = {
  usersMax: Infinity,
  nameBytesMax: Infinity,
  rulesPerUserMax: Infinity,
  patternBytesMax: Infinity,
  selectorsPerUserMax: Infinity,
  passwordsPerUserMax: Infinity,
  userBytesMax: Infinity,
  tableBytesMax: Infinity,
};
