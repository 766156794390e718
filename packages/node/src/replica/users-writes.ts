/**
 * Changes of the users as internal writes: from the proposal to the words in the log, and from there to the table. Runs in
 * apply: deterministic, with the entry's time.
 */
import type { ApplyOutcome, UserTable } from "@ferrite/acl";
import type { UsersProposal } from "./access-state.ts";
import { encodeInternalWrite, InternalWrite } from "./internal-writes.ts";

export type UsersWriteKind = UsersProposal["kind"];

const KINDS: ReadonlyMap<string, UsersWriteKind> = new Map([
  [InternalWrite.SetUser, "set"],
  [InternalWrite.DeleteUsers, "delete"],
  [InternalWrite.ReplaceUsers, "replace"],
  [InternalWrite.SeedUsers, "seed"],
  [InternalWrite.SetPolicy, "policy"],
]);

/** @throws RangeError when a name, rule or line is no byte string */
export function encodeUsersWrite(proposal: UsersProposal): Buffer {
  switch (proposal.kind) {
    case "set":
      return encodeInternalWrite(InternalWrite.SetUser, [proposal.name, ...proposal.rules]);
    case "delete":
      return encodeInternalWrite(InternalWrite.DeleteUsers, proposal.names);
    case "replace":
      return encodeInternalWrite(InternalWrite.ReplaceUsers, proposal.lines);
    case "policy":
      return encodeInternalWrite(InternalWrite.SetPolicy, [proposal.policy, ...proposal.known]);
    default:
      return encodeInternalWrite(InternalWrite.SeedUsers, proposal.lines);
  }
}

/** Which change the write makes, or undefined when it is none of the users. */
export function usersWriteKind(words: readonly string[]): UsersWriteKind | undefined {
  return KINDS.get(words[0]);
}

/** Makes the change that the words name. */
export function applyUsersWrite(
  users: UserTable,
  kind: UsersWriteKind,
  words: readonly string[],
  timeMs: number,
): ApplyOutcome {
  const rest = words.slice(1);
  switch (kind) {
    case "set":
      if (rest.length === 0) return { ok: false, errorText: "ERR the change names no user" };
      return users.setUser(rest[0], rest.slice(1), timeMs);
    case "delete":
      return users.deleteUsers(rest);
    case "replace":
      return users.replaceAll(rest, timeMs);
    case "policy":
      return setPolicy(users, rest);
    default:
      return users.seed(rest, timeMs);
  }
}

function setPolicy(users: UserTable, words: readonly string[]): ApplyOutcome {
  const [policy, ...known] = words;
  if (policy !== "allow" && policy !== "deny") {
    return { ok: false, errorText: "ERR the policy for new commands is neither allow nor deny" };
  }
  return users.setCommandPolicy({ policy, known });
}
