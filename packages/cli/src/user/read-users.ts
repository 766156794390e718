/** Asking a node for users. */
import { CliError } from "../errors.ts";
import { RespError, type RespValue } from "../connection/resp-value.ts";
import { refused, type NodeSession } from "../connection/node-session.ts";
import { decodeUser, type UserReport } from "./user-report.ts";

/** Requests sent at once: a node keeps what a client has sent and not been answered yet. */
const USERS_AT_ONCE = 500;

/** Names of all users. @throws CliError */
export async function readUserNames(session: NodeSession): Promise<readonly string[]> {
  const reply = await session.askOne("ACL", "USERS");
  if (!Array.isArray(reply)) throw unknownForm(session);
  return reply.map(String);
}

/** All users, in the order of their names. @throws CliError */
export async function readUsers(session: NodeSession): Promise<readonly UserReport[]> {
  const names = await readUserNames(session);
  const users: UserReport[] = [];
  for (let at = 0; at < names.length; at += USERS_AT_ONCE) {
    const some = names.slice(at, at + USERS_AT_ONCE);
    const replies = await session.ask(some.map((name) => ["ACL", "GETUSER", name]));
    for (const [index, name] of some.entries()) {
      const user = toUser(session, name, replies[index] ?? null);
      // It was removed since its name was listed.
      if (user !== null) users.push(user);
    }
  }
  return users;
}

/** Null when there is none. @throws CliError */
export async function readUser(session: NodeSession, name: string): Promise<UserReport | null> {
  return toUser(session, name, await session.askOne("ACL", "GETUSER", name));
}

function toUser(session: NodeSession, name: string, reply: RespValue): UserReport | null {
  if (reply === null) return null;
  if (reply instanceof RespError) throw refused(reply);
  const user = decodeUser(name, reply);
  if (user === null) throw unknownForm(session);
  return user;
}

function unknownForm(session: NodeSession): CliError {
  return new CliError(
    "unreachable",
    `${session.where}: answers in a form this version does not know`,
  );
}

/** @throws CliError notFound */
export async function existingUser(session: NodeSession, name: string): Promise<UserReport> {
  const user = await readUser(session, name);
  if (user === null) throw noSuchUser(name);
  return user;
}

export function noSuchUser(name: string): CliError {
  return new CliError("notFound", `there is no user "${name}"; \`ferrite user list\` shows all`);
}
