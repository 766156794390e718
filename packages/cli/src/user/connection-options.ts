/** Which node the `user` commands talk to, and as whom. */
import { InvalidArgumentError, type Command } from "commander";

export interface ConnectionFlags {
  readonly host: string;
  readonly port: number;
  readonly unixsocket?: string;
  readonly user?: string;
  readonly loginPasswordFile?: string;
  readonly timeout: number;
  readonly json: boolean;
}

/** A change is answered when all nodes have it, which may take a leader's election. */
const TIMEOUT_MS_DEFAULT = 15_000;
const TIMEOUT_MS_MAX = 600_000;

const LOGIN = `
The password of --user (without it: of the default user) comes from --login-password-file, else from
FERRITE_PASSWORD or REDISCLI_AUTH, else it is asked for at a terminal.`;

/** Adds the options that all commands about users share. */
export function withConnection(command: Command): Command {
  return command
    .option("--host <host>", "any node of the cluster", "127.0.0.1")
    .option("--port <port>", "its port for Redis clients", wholeNumber(65_535), 6379)
    .option("--unixsocket <path>", "its Unix socket, instead of host and port")
    .option("--user <name>", "log in as this user")
    .option("--login-password-file <file>", "with that user's password; - is standard input")
    .option(
      "--timeout <ms>",
      "how long an answer may take",
      wholeNumber(TIMEOUT_MS_MAX),
      TIMEOUT_MS_DEFAULT,
    )
    .option("--json", "for programs", false)
    .addHelpText("after", LOGIN);
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
