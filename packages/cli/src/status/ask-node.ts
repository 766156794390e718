/** Asks one node what it says of itself, over the port that Redis clients use. */
import { connect } from "node:net";
import { formatHostPort, type HostPort } from "@ferrite/node/config";
import { CliError } from "../errors.ts";
import { decodeStatus, type NodeReport } from "./node-report.ts";
import { encodeCommand, parseReply, RespError, type RespValue } from "./resp-value.ts";

export interface AskOptions {
  /** Of the default user; null when there is none. */
  readonly password: string | null;
  readonly timeoutMs: number;
}

const ANSWER_BYTES_MAX: number = 1024 * 1024;

/** Throws CliError "unreachable" with the reason when no status comes back in time. */
export async function askNode(address: HostPort, options: AskOptions): Promise<NodeReport> {
  const commands = options.password === null ? [] : [["AUTH", options.password]];
  commands.push(["FERRITE.STATUS"]);
  const where = formatHostPort(address);
  let replies: readonly RespValue[];
  try {
    replies = await exchange(address, commands, options.timeoutMs);
  } catch (error) {
    throw new CliError("unreachable", `${where}: ${connectionProblem(error)}`, { cause: error });
  }
  const refusal = replies.find((reply) => reply instanceof RespError);
  if (refusal !== undefined)
    throw new CliError("unreachable", `${where}: ${explain(refusal.text)}`);
  const report = decodeStatus(replies.at(-1) ?? null);
  if (report === null) {
    throw new CliError(
      "unreachable",
      `${where}: answers FERRITE.STATUS in a form this version does not know`,
    );
  }
  return report;
}

/** Sends all commands at once and collects as many replies. */
function exchange(
  address: HostPort,
  commands: readonly (readonly string[])[],
  timeoutMs: number,
): Promise<RespValue[]> {
  return new Promise((resolve, reject) => {
    const replies: RespValue[] = [];
    let received: Buffer = Buffer.alloc(0);
    const socket = connect(address);
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    socket.once("connect", () => socket.write(commands.map(encodeCommand).join("")));
    socket.once("error", fail);
    socket.once("close", () => {
      clearTimeout(timer);
      reject(new Error("the connection was closed without an answer"));
    });
    socket.on("data", (bytes) => {
      received = Buffer.concat([received, bytes]);
      if (received.length > ANSWER_BYTES_MAX) return fail(new Error("the answer is too large"));
      try {
        received = takeReplies(received, replies);
      } catch (error) {
        return fail(error as Error);
      }
      if (replies.length < commands.length) return undefined;
      resolve(replies);
      return socket.end();
    });
  });
}

/** Moves every complete reply into `replies` and returns the bytes that are left. */
function takeReplies(bytes: Buffer, replies: RespValue[]): Buffer {
  let at = 0;
  while (at < bytes.length) {
    const parsed = parseReply(bytes, at);
    if (parsed === null) break;
    replies.push(parsed.value);
    at = parsed.end;
  }
  return bytes.subarray(at);
}

/** Why a connection to a node did not bring an answer, in words. */
export function connectionProblem(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ECONNREFUSED":
    case "ENOENT":
      return "nobody listens there";
    case "ENOTFOUND":
      return "there is no such host";
    case "ECONNRESET":
      return "the connection was cut (does the port speak Redis' protocol without TLS?)";
    default:
      return message;
  }
}

function explain(errorText: string): string {
  if (errorText.startsWith("NOAUTH"))
    return "a password is needed; give it in REDISCLI_AUTH or with --password";
  if (errorText.startsWith("WRONGPASS")) return "the password is wrong";
  if (/^ERR unknown command/i.test(errorText)) return "this is no Ferrite node";
  return errorText;
}
