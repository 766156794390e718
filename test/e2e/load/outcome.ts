/** What a client was told about one write. */
import { ConnectionLost, RespError, type RespValue } from "../harness/resp-client.ts";

/**
 * - acknowledged: it was applied, exactly once;
 * - refused: it was not applied and never will be;
 * - unknown: it was applied once or not at all.
 */
export type Outcome = "acknowledged" | "refused" | "unknown";

const REFUSALS = ["CLUSTERDOWN ", "NOSPACE ", "LOADING "];

/** Sorts a reply. Throws for an error that is neither a refusal nor "unknown": no test provokes one under load. */
export function outcomeOf(reply: RespValue | ConnectionLost): Outcome {
  if (reply instanceof ConnectionLost) return "unknown";
  if (!(reply instanceof RespError)) return "acknowledged";
  if (REFUSALS.some((prefix) => reply.text.startsWith(prefix))) return "refused";
  if (reply.text.startsWith("UNKNOWNOUTCOME ")) return "unknown";
  throw new Error(`unexpected error under load: ${reply.text}`);
}

/** The reply, or the loss of the connection as a value: both are outcomes. */
export function settled(answer: Promise<RespValue>): Promise<RespValue | ConnectionLost> {
  return answer.catch((error: unknown) => {
    if (error instanceof ConnectionLost) return error;
    throw error;
  });
}
