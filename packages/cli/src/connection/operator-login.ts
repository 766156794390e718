/** Opens a session as the operator: finds the password without taking it from the command line. */
import { CliError } from "../errors.ts";
import type { World } from "../world.ts";
import { resolveFlags, type ConnectionFlags } from "./connection-options.ts";
import { NodeSession } from "./node-session.ts";
import { readPasswordFile } from "./password-file.ts";
import { RespError } from "./resp-value.ts";
import { readTls } from "./tls-options.ts";

const NO_PASSWORD =
  "a password is needed: give it in FERRITE_PASSWORD or with --login-password-file";

/** Runs `work` with a session that is logged in, and closes it. @throws CliError */
export async function withSession<T>(
  world: World,
  given: ConnectionFlags,
  work: (session: NodeSession) => Promise<T>,
): Promise<T> {
  const flags = resolveFlags(given);
  const { host, port, memberName, unixsocket } = flags;
  const password = await givenPassword(world, flags);
  const tls = await readTls(world, flags);
  const address =
    unixsocket === undefined
      ? { host, port, ...(memberName === undefined ? {} : { memberName }) }
      : { path: unixsocket };
  const session = new NodeSession(address, { tls, timeoutMs: flags.timeout });
  try {
    await logIn(session, world, { user: flags.user, password });
    return await work(session);
  } finally {
    session.close();
  }
}

/** Null when none was given and nobody has asked for one yet. */
async function givenPassword(world: World, flags: ConnectionFlags): Promise<string | null> {
  if (flags.loginPasswordFile !== undefined)
    return readPasswordFile(world, flags.loginPasswordFile);
  const { FERRITE_PASSWORD: ours, REDISCLI_AUTH: theirs } = world.environment;
  return ours ?? theirs ?? null;
}

interface Login {
  readonly user: string | undefined;
  readonly password: string | null;
}

async function logIn(session: NodeSession, world: World, login: Login): Promise<void> {
  const who = login.user ?? "default";
  let { password } = login;
  if (password === null && login.user === undefined) {
    const [reply] = await session.ask([["PING"]]);
    if (!(reply instanceof RespError && reply.text.startsWith("NOAUTH"))) return;
  }
  if (password === null) {
    if (!world.input.isTerminal) throw new CliError("refused", `${session.where}: ${NO_PASSWORD}`);
    password = await world.input.readHidden(`Password of ${who} on ${session.where}: `);
  }
  const words = login.user === undefined ? [password] : [login.user, password];
  const [reply] = await session.ask([["AUTH", ...words]]);
  if (!(reply instanceof RespError)) return;
  throw new CliError("refused", `${session.where}: ${explain(reply.text, who)}`);
}

function explain(errorText: string, who: string): string {
  if (errorText.startsWith("WRONGPASS")) {
    return `the password of ${who} is wrong, or there is no such user, or it is disabled`;
  }
  if (errorText.includes("without any password configured")) {
    return "the default user has no password there; leave the password out, or name a --user";
  }
  return errorText.replace(/^ERR /, "");
}
