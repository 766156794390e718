/**
 * What the server uses of this package. Names, patterns and rules are byte strings: one character is one byte (latin1),
 * so that nothing a client can send is lost or changed.
 */
import type { AccessRequest, Verdict } from "./access-request.ts";

/** One user as of one revision. Never changes: a change makes a new object. */
export interface User {
  /** Never used again, also not for a later user of the same name. The default user is 0. */
  readonly id: number;
  readonly name: string;
  readonly isEnabled: boolean;
  readonly hasNoPassword: boolean;
  /** Stored forms (password.ts), in the order they were added. */
  readonly passwords: readonly string[];
  /** `sanitize-payload` or not; Redis shows it among the flags. */
  readonly sanitizesPayload: boolean;
  /** Unix ms at which the cluster removes the user; 0 = never. */
  readonly expiresAtMs: number;
  /** Connections at once on one node, 0 = no limit. */
  readonly clientsMax: number;
  /** Commands per second on one node, 0 = no limit. */
  readonly operationsPerSecondMax: number;
  /** Everything is allowed: the check can be left out. */
  readonly isUnrestricted: boolean;
  /** Where the first `Verdict` other than Allowed was found by the last `check` (for ACL LOG): index of key or channel. */
  readonly deniedIndex: number;
  /** As ACL GETUSER lists them, in Redis' order: "on" or "off", "nopass", "skip-sanitize-payload" or "sanitize-payload". */
  flags(): readonly string[];
  /** As ACL GETUSER prints them: first the user's own rules, then each selector in its order. */
  selectors(): readonly SelectorDescription[];
  /** The user's line in ACL LIST and in the file, from "user" on; without line end. */
  describe(): string;
  /** In nanoseconds, without allocation. */
  check(request: AccessRequest): Verdict;
  /** Whether the command may be run with some arguments at all (its bit is set in some selector). */
  mayRun(commandId: number): boolean;
  /** Whether a subscription to this channel (or, literally, pattern) is allowed. */
  maySubscribe(channel: Uint8Array, isPattern: boolean): boolean;
}

/** One selector as ACL GETUSER prints it. */
export interface SelectorDescription {
  readonly commands: string;
  readonly keys: string;
  readonly channels: string;
}

/** The change that applying an entry made, for closing connections and for the audit trail. */
export interface UsersChange {
  readonly revision: number;
  readonly kind: "set" | "delete" | "replace" | "expire" | "seed" | "policy";
  /** Users that are there now and were not, or are different (by name), with the object of before. */
  readonly changed: readonly { readonly before: User | null; readonly after: User }[];
  /** Users that are not there any more. */
  readonly removed: readonly User[];
}

/** The outcome of applying a change: what changed, or the error its client gets (Redis' words with the code word). */
export type ApplyOutcome =
  | { readonly ok: true; readonly change: UsersChange | null; readonly count: number }
  | { readonly ok: false; readonly errorText: string };

/** Plain data for snapshots: survives msgpack. */
export interface UserTableRecord {
  readonly format: 1;
  readonly revision: number;
  readonly nextId: number;
  /** Lines in the form of `describe`, with id, in the order of names. */
  readonly users: readonly (readonly [id: number, line: string])[];
  /** Absent until `setCommandPolicy` was called. */
  readonly commands?: KnownCommands;
}

/** What becomes of commands that a later version adds (S10). */
export type NewCommandsPolicy =
  /** They count at once wherever `+@all` or their category does. */
  | "allow"
  /** They are granted by name only, until they are known. */
  | "deny";

export interface KnownCommands {
  readonly policy: NewCommandsPolicy;
  /** Full names. */
  readonly known: readonly string[];
}

/**
 * All users: a part of the replicated state. Deterministic; time comes with the entry. Rules that arrive here have their
 * passwords hashed: plaintext (`>`, `<`) and fast hashes (`#` with 64 digits) are refused.
 */
export interface UserTable {
  /** 0: nobody has ever changed a rule in this cluster. Raised by every change. */
  readonly revision: number;
  readonly size: number;
  get(name: string): User | undefined;
  byId(id: number): User | undefined;
  /** In the order of names' bytes. */
  all(): readonly User[];
  /** The earliest `expiresAtMs` of all users, Infinity when none expires. */
  readonly nextExpiryMs: number;
  /**
   * The error that ACL SETUSER with these rules would be answered with, null when there is none. Takes what a client
   * sends, plaintext and all: nothing is hashed or kept, and passwords are looked at for their form only.
   */
  checkRules(name: string, rules: readonly string[], nowMs: number): string | null;
  /** ACL SETUSER: all rules or none. Creates the user when there is none. */
  setUser(name: string, rules: readonly string[], nowMs: number): ApplyOutcome;
  /** ACL DELUSER: `count` is how many there were. The default user is refused. */
  deleteUsers(names: readonly string[]): ApplyOutcome;
  /** ACL LOAD: the lines of a checked file become all there is; users of the same name keep their id. */
  replaceAll(lines: readonly string[], nowMs: number): ApplyOutcome;
  /** Like replaceAll, but does nothing (change null) when the revision is not 0: a file never overrules a living cluster. */
  seed(lines: readonly string[], nowMs: number): ApplyOutcome;
  /** Removes users whose time is up; `change` null when there is none. */
  expire(nowMs: number): ApplyOutcome;
  /** Null until `setCommandPolicy` was called: all commands count. */
  readonly knownCommands: KnownCommands | null;
  /**
   * Says which commands are known and what becomes of others, for all users at once. The names travel in the entry, as
   * nodes of two versions have two catalogues. Also how new commands are accepted: by the same policy with their names.
   */
  setCommandPolicy(commands: KnownCommands): ApplyOutcome;
  /** Commands of this version that are not known, for a warning at the start; none while nothing is known. */
  newCommands(): readonly string[];
  record(): UserTableRecord;
  /** @throws AclError MALFORMED_USERS when the record is none of ours */
  restore(record: unknown): void;
  /** Equal on all nodes that hold the same users. */
  stateHash(): string;
}
