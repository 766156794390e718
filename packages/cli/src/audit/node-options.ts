/** Which node the `audit` commands ask first, and as whom. `--user` is what is searched for, so the login is `--login`. */
import type { Command } from "commander";
import {
  withAddress,
  withTimeout,
  type ConnectionFlags,
} from "../connection/connection-options.ts";
import { tlsFlags, withTls } from "../connection/tls-options.ts";

export interface NodeFlags extends Omit<ConnectionFlags, "user"> {
  readonly login?: string;
}

const LOGIN = `
The password of --login (without it: of the default user) comes from --login-password-file, else from
FERRITE_PASSWORD or REDISCLI_AUTH, else it is asked for at a terminal. It is used on every node.`;

export function withNode(command: Command): Command {
  return withTls(
    withTimeout(
      withAddress(command)
        .option("--unixsocket <path>", "its Unix socket, instead of host and port")
        .option("--login <name>", "log in as this user")
        .option("--login-password-file <file>", "with that user's password; - is standard input"),
    ).option("--json", "records as they stand in the files, one a line", false),
  ).addHelpText("after", LOGIN);
}

/** The options that sessions are opened with, and none of the others: `--user` of a search is nobody to log in as. */
export function connectionFlags(flags: NodeFlags): ConnectionFlags {
  const { host, port, unixsocket, login, loginPasswordFile, timeout, json } = flags;
  return {
    host,
    timeout,
    json,
    ...tlsFlags(flags),
    ...(port === undefined ? {} : { port }),
    ...(unixsocket === undefined ? {} : { unixsocket }),
    ...(login === undefined ? {} : { user: login }),
    ...(loginPasswordFile === undefined ? {} : { loginPasswordFile }),
  };
}
