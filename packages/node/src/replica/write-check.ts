/**
 * Whether a write may still run when its turn in the log has come (S03, R24).
 *
 *   edge: checked under revision 7 ──▶ log ──▶ apply: still revision 7, nobody expired?  ── yes ─▶ run
 *                                                                                        └─ no ──▶ check again, run or NOPERM
 *
 * The revision names the state of the users, which is the same on every node at one log position, so that all of them decide
 * alike; when it is the one of the batch nothing can have changed since the edge looked, and the check costs one comparison.
 */
import { Verdict, type User, type UserTable } from "@ferrite/acl";
import { denialText } from "../access/denial.ts";
import type { WriteCommand } from "../commands/command.ts";
import type { Argv } from "../resp/argv.ts";
import { NODE_ACTOR_ID, type BatchReader } from "./batch.ts";
import type { UsersWriteKind } from "./users-writes.ts";

/** What apply needs to know of rules. All of it depends on its arguments alone. */
export interface AccessPorts {
  /** An empty table: the default user and nobody else. */
  newUsers(): UserTable;
  /** What the user's rules say of a command with these arguments. */
  judge(user: User, command: WriteCommand, argv: Argv): Verdict;
  /** Whether the user may give this command ("acl|setuser", "ferrite.member|add"), with any arguments. */
  mayGive(user: User, command: string): boolean;
}

const GONE =
  "NOPERM this user was deleted or disabled before the command was applied; it was not applied";
const EXPIRED = "NOPERM this user has expired before the command was applied; it was not applied";
const NODE_ONLY = "NOPERM only a node itself may write this";

/** The command that makes a change, and so the one that its actor has to be allowed to run. */
export const USERS_COMMANDS: Readonly<Record<UsersWriteKind, string>> = {
  set: "acl|setuser",
  delete: "acl|deluser",
  replace: "acl|load",
  seed: "acl|load",
  policy: "config|set",
};

export class WriteCheck {
  readonly #users: UserTable;
  readonly #ports: AccessPorts;

  constructor(users: UserTable, ports: AccessPorts) {
    this.#users = users;
    this.#ports = ports;
  }

  /** Null when the current record, which is this command, may run; else the error of its client. */
  refusal(reader: BatchReader, timeMs: number, command: WriteCommand, argv: Argv): string | null {
    if (this.#stands(reader, timeMs)) return null;
    const user = this.#users.byId(reader.recordUserId);
    const gone = goneText(user, timeMs);
    if (gone !== null) return gone;
    if (user!.isUnrestricted) return null;
    const verdict = this.#ports.judge(user!, command, argv);
    return verdict === Verdict.Allowed ? null : denialText(verdict, command.name);
  }

  /** The same for a change of the users. */
  actorRefusal(reader: BatchReader, timeMs: number, kind: UsersWriteKind): string | null {
    if (reader.recordUserId === NODE_ACTOR_ID) return null;
    // A seed is of a node that starts: nobody asks for it.
    if (kind === "seed") return NODE_ONLY;
    return this.commandRefusal(reader, timeMs, USERS_COMMANDS[kind]);
  }

  /** The same for what is asked for by a command that is not itself what runs here. */
  commandRefusal(reader: BatchReader, timeMs: number, command: string): string | null {
    if (reader.recordUserId === NODE_ACTOR_ID || this.#stands(reader, timeMs)) return null;
    const user = this.#users.byId(reader.recordUserId);
    const gone = goneText(user, timeMs);
    if (gone !== null) return gone;
    return this.#ports.mayGive(user!, command) ? null : denialText(Verdict.Command, command);
  }

  #stands(reader: BatchReader, timeMs: number): boolean {
    return reader.aclRevision === this.#users.revision && this.#users.nextExpiryMs > timeMs;
  }
}

/** Null when the user is there and may do anything at all. */
function goneText(user: User | undefined, timeMs: number): string | null {
  if (user === undefined || !user.isEnabled) return GONE;
  return user.expiresAtMs !== 0 && user.expiresAtMs <= timeMs ? EXPIRED : null;
}
