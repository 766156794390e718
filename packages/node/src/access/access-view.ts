/**
 * What commands see of access control: the users as this node has applied them, the ways to change them, and the log of
 * denials. Names, rules and lines are byte strings (latin1), as in @ferrite/acl.
 */
import type {
  AccessExplanation,
  CommandCatalogue,
  NewCommandsPolicy,
  User,
  UserTable,
  Verdict,
} from "@ferrite/acl";
import type { UsersOutcome, UsersProposal } from "../replica/access-state.ts";
import type { ClientView } from "../server/edge-context.ts";

/** Why a request was denied, in ACL LOG's words. */
export type AclLogReason = "command" | "key" | "channel" | "auth" | "tls-cert";

/** One line of ACL LOG: equal denials of one minute are one line with a count, as in Redis. */
export interface AclLogEntry {
  readonly id: number;
  readonly count: number;
  readonly reason: AclLogReason;
  readonly context: "toplevel" | "multi" | "lua" | "module";
  /** The command, key or channel; "auth" for a failed authentication. Byte string, capped. */
  readonly object: string;
  readonly username: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** As CLIENT LIST shows the client at that time. */
  readonly clientInfo: string;
}

export interface AclLogView {
  /** Newest first. */
  entries(): readonly AclLogEntry[];
  add(
    denial: {
      readonly reason: AclLogReason;
      readonly object: string;
      readonly username: string;
      readonly clientInfo: string;
    },
    nowMs: number,
  ): void;
  reset(): void;
}

/** The file that ACL SAVE writes and ACL LOAD reads. */
export interface AclFileView {
  /** Writes all users, atomically. Resolves to an error text or null; never rejects. */
  save(): Promise<string | null>;
  /** The lines of the file with all passwords hashed, or an error text that names the lines that are wrong. Never rejects. */
  read(): Promise<
    | { readonly ok: true; readonly lines: readonly string[] }
    | { readonly ok: false; readonly errorText: string }
  >;
}

/** For INFO: pairs in the order they are printed. */
export type AccessFacts = readonly (readonly [name: string, value: string | number])[];

/** What AUTH and HELLO bring. The password's bytes are wiped once they are used. */
export interface Login {
  /** Byte string. */
  readonly user: string;
  readonly password: Buffer;
  /** The command as the client wrote it, for ACL LOG. */
  readonly command: string;
}

export interface AccessView {
  users(): UserTable;
  /** What INFO says of users, logins, denials and the audit trail on this node. */
  facts(): AccessFacts;
  /**
   * Logs `client` in, or says why not: an error text. At once when the answer is known, else later: hashing takes
   * milliseconds. Never rejected. Counted, in ACL LOG and in the trail either way.
   */
  logIn(login: Login, client: ClientView): string | null | Promise<string | null>;
  readonly catalogue: CommandCatalogue;
  readonly log: AclLogView;
  readonly file: AclFileView;
  /**
   * Turns rules as a client sent them into rules that may be replicated: passwords hashed (in the hashing worker), relative times made
   * absolute. Resolves to an error text instead when a rule is wrong or the worker is busy; never rejects.
   */
  prepareRules(
    rules: readonly string[],
    current: User | undefined,
  ): Promise<
    | { readonly ok: true; readonly rules: readonly string[] }
    | { readonly ok: false; readonly errorText: string }
  >;
  /** See AccessState.propose. The trail gets the change with `client` as its actor. */
  propose(
    proposal: UsersProposal,
    client: ClientView | null,
    done: (outcome: UsersOutcome) => void,
  ): void;
  /** Tells the trail of a setting that was to change; values of secret ones are left out. */
  recordSetting(
    client: ClientView,
    change: {
      readonly name: string;
      readonly before: string;
      readonly after: string;
      /** Why it was refused. */
      readonly refusal?: string;
    },
  ): void;
  /**
   * CONFIG SET requirepass: the default user's password in the replicated state; empty means that it needs none.
   * Resolves to an error text or null, and never rejects.
   */
  setRequirepass(password: string, client: ClientView): Promise<string | null>;
  /**
   * CONFIG SET acl-new-commands: the commands of this version are known from now on, in the whole cluster; what a later
   * version adds is granted by categories, or by name only. Resolves to an error text or null, and never rejects.
   */
  setNewCommandsPolicy(
    policy: NewCommandsPolicy,
    client: ClientView | null,
  ): Promise<string | null>;
  /**
   * What `user` would be told if it sent this request (ACL DRYRUN and EXPLAIN): the verdict of the check that real
   * requests go through, with the key or channel that was denied.
   */
  judge(user: User, words: readonly Buffer[]): AccessJudgement;
  /** The same with every rule's part in it (ACL EXPLAIN). */
  explain(user: User, words: readonly Buffer[]): AccessExplained;
}

export type AccessExplained =
  | {
      readonly kind: "explained";
      readonly explanation: AccessExplanation;
      readonly denied: string | null;
    }
  | { readonly kind: "notACommand"; readonly errorText: string };

export type AccessJudgement =
  | { readonly kind: "judged"; readonly verdict: Verdict; readonly denied: string | null }
  /** No such command, or a wrong number of arguments: Redis' words. */
  | { readonly kind: "notACommand"; readonly errorText: string };
