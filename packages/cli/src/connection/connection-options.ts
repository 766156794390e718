/** Which node a command talks to, and as whom. The options are those of `redis-cli` where it has them. */
import { InvalidArgumentError, type Command } from "commander";
import { CliError } from "../errors.ts";
import { parseLocation } from "./node-location.ts";
import { wantsTls, withTls, type TlsFlags } from "./tls-options.ts";

export interface ConnectionFlags extends TlsFlags {
  /** A host, or a URL that says more than that. */
  readonly host: string;
  readonly port?: number;
  readonly unixsocket?: string;
  readonly user?: string;
  readonly loginPasswordFile?: string;
  /** Of a member that was found by asking another node. */
  readonly memberName?: string;
  /** Ms. */
  readonly timeout: number;
  readonly json: boolean;
}

export const PORT_DEFAULT = 6379;
export const TLS_PORT_DEFAULT = 6380;
/** A change is answered when all nodes have it, which may take a leader's election. */
export const TIMEOUT_MS_DEFAULT = 15_000;
const TIMEOUT_MS_MAX = 600_000;

const LOGIN = `
The password of --user (without it: of the default user) comes from --login-password-file, else from
FERRITE_PASSWORD or REDISCLI_AUTH, else it is asked for at a terminal.`;

/** Adds the options that all commands about users share. */
export function withConnection(command: Command): Command {
  return withTls(
    withTimeout(
      withAddress(command)
        .option("--unixsocket <path>", "its Unix socket, instead of host and port")
        .option("--user <name>", "log in as this user")
        .option("--login-password-file <file>", "with that user's password; - is standard input"),
    ).option("--json", "for programs", false),
  ).addHelpText("after", LOGIN);
}

export function withAddress(command: Command): Command {
  return command
    .option("--host <host>", "any node of the cluster, or its rediss:// URL", host, "127.0.0.1")
    .option(
      "--port <port>",
      `its port for Redis clients (default: ${PORT_DEFAULT}, with TLS ${TLS_PORT_DEFAULT})`,
      wholeNumber(65_535),
    );
}

export function withTimeout(command: Command, timeoutMs: number = TIMEOUT_MS_DEFAULT): Command {
  return command.option(
    "--timeout <ms>",
    "how long an answer may take",
    wholeNumber(TIMEOUT_MS_MAX),
    timeoutMs,
  );
}

/** Where flags lead to, when what a URL says is put in its place. */
export type ResolvedFlags<Flags extends ConnectionFlags = ConnectionFlags> = Flags & {
  readonly port: number;
  readonly tls: boolean;
};

/** The same flags with host and port alone, and TLS said. @throws CliError badArgument for what contradicts itself */
export function resolveFlags<Flags extends ConnectionFlags>(flags: Flags): ResolvedFlags<Flags> {
  const location = parseLocation(flags.host);
  const tls = location.tls || wantsTls(flags);
  if (location.port !== null && flags.port !== undefined && location.port !== flags.port) {
    throw new CliError("badArgument", `--port ${flags.port} is not the port of ${flags.host}`);
  }
  if (tls && flags.unixsocket !== undefined) {
    throw new CliError("badArgument", "a Unix socket does not speak TLS");
  }
  const port = location.port ?? flags.port ?? (tls ? TLS_PORT_DEFAULT : PORT_DEFAULT);
  const user = flags.user ?? location.user;
  return { ...flags, host: location.host, port, tls, ...(user === null ? {} : { user }) };
}

/** @throws InvalidArgumentError */
function host(text: string): string {
  parseLocation(text);
  return text;
}

/** Reads an option that is a whole number. @throws InvalidArgumentError outside of the range */
export function wholeNumber(max: number, min = 1): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,16}$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}
