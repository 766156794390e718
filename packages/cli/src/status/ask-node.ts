/** Asks one node what it says of itself, over the port that Redis clients use. */
import { CliError } from "../errors.ts";
import { NodeSession } from "../connection/node-session.ts";
import type { NodeAddress } from "../connection/node-socket.ts";
import { RespError } from "../connection/resp-value.ts";
import type { TlsSettings } from "../connection/tls-options.ts";
import { decodeStatus, type NodeReport } from "./node-report.ts";

export interface AskOptions {
  /** Null is the default user. */
  readonly user: string | null;
  /** Null when there is none. */
  readonly password: string | null;
  readonly tls: TlsSettings | null;
  readonly timeoutMs: number;
}

const ANSWER_BYTES_MAX: number = 1024 * 1024;

/** Throws CliError "unreachable" with the reason when no status comes back in time. */
export async function askNode(address: NodeAddress, options: AskOptions): Promise<NodeReport> {
  const { user, password, tls, timeoutMs } = options;
  const session = new NodeSession(address, {
    tls,
    timeoutMs,
    answerBytesMax: ANSWER_BYTES_MAX,
  });
  try {
    const login = [...(user === null ? [] : [user]), ...(password === null ? [] : [password])];
    const commands = password === null ? [] : [["AUTH", ...login]];
    const replies = await session.ask([...commands, ["FERRITE.STATUS"]]);
    const refusal = replies.find((reply) => reply instanceof RespError);
    if (refusal !== undefined) {
      throw new CliError("unreachable", `${session.where}: ${explain(refusal.text)}`);
    }
    const report = decodeStatus(replies.at(-1) ?? null);
    if (report !== null) return report;
    throw new CliError(
      "unreachable",
      `${session.where}: answers FERRITE.STATUS in a form this version does not know`,
    );
  } finally {
    session.close();
  }
}

function explain(errorText: string): string {
  if (errorText.startsWith("NOAUTH"))
    return "a password is needed; give it in REDISCLI_AUTH or with --password";
  if (errorText.startsWith("WRONGPASS")) return "the password is wrong";
  if (/^ERR unknown command/i.test(errorText)) return "this is no Ferrite node";
  return errorText;
}
