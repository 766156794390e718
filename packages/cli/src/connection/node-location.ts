/** Where a node is: a host, or a URL as Redis clients take them. */
import { InvalidArgumentError } from "commander";
import { CliError } from "../errors.ts";

export interface NodeLocation {
  readonly host: string;
  /** Null when it was not said. */
  readonly port: number | null;
  readonly user: string | null;
  readonly tls: boolean;
}

/**
 * Reads `host`, `redis://[user@]host[:port]` or `rediss://[user@]host[:port]`, which is with TLS.
 * @throws InvalidArgumentError for another scheme or a path, CliError for a password, which others would see
 */
export function parseLocation(text: string): NodeLocation {
  if (!text.includes("://"))
    return { host: withoutBrackets(text), port: null, user: null, tls: false };
  if (!URL.canParse(text)) throw new InvalidArgumentError("It is not a URL.");
  const url = new URL(text);
  if (url.protocol !== "redis:" && url.protocol !== "rediss:") {
    throw new InvalidArgumentError("A URL begins with redis:// or, for TLS, rediss://.");
  }
  if (url.password !== "") {
    // Commander would repeat the whole argument in its message.
    throw new CliError(
      "badArgument",
      "a password in a URL is seen by everybody on this machine: give it in FERRITE_PASSWORD, REDISCLI_AUTH or a file",
    );
  }
  if (
    url.hostname === "" ||
    !/^\/?0?$/.test(url.pathname) ||
    url.search !== "" ||
    url.hash !== ""
  ) {
    throw new InvalidArgumentError(
      "It must be redis[s]://[user@]host[:port]; there is one database, 0.",
    );
  }
  return {
    host: withoutBrackets(url.hostname),
    port: url.port === "" ? null : Number(url.port),
    user: url.username === "" ? null : decodeURIComponent(url.username),
    tls: url.protocol === "rediss:",
  };
}

function withoutBrackets(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}
