/**
 * What one connection is promised, whatever others do (Terry et al., 1994), on lists that only grow:
 *
 *   read your writes     a read shows what the connection has appended before
 *   monotonic reads      a read shows all that an earlier one has shown
 *   monotonic writes     its appends take effect in its own order
 *   writes follow reads  an append comes behind all that the connection had read
 *
 * One of unknown outcome only behind reads that were answered before it was sent: a pipeline that is answered with
 * "unknown" may be shown in later reads of its own as a whole.
 *
 * Operations of a connection are in order of their start; a pipeline's in the order in which they were sent.
 */
import type { Operation } from "./history.ts";
import type { AppendInput, AppendOutput } from "./models.ts";

export type SessionGuarantee =
  | "read your writes"
  | "monotonic reads"
  | "monotonic writes"
  | "writes follow reads";

export interface SessionAnomaly {
  readonly guarantee: SessionGuarantee;
  readonly sentence: string;
}

type ListOperation = Operation<AppendInput, AppendOutput>;

/** `orders`: of each key the order in which appends took effect, as far as it is known. */
export function checkSessions(
  operations: readonly ListOperation[],
  orders: ReadonlyMap<string, readonly string[]>,
): SessionAnomaly[] {
  const sessions = new Map<string, ListOperation[]>();
  for (const operation of operations) {
    const place = `${operation.client}.${operation.connection} ${operation.key}`;
    const session = sessions.get(place) ?? [];
    session.push(operation);
    sessions.set(place, session);
  }
  const positions = new Map(
    [...orders].map(([key, order]) => {
      return [key, new Map(order.map((element, position) => [element, position]))] as const;
    }),
  );
  return [...sessions].flatMap(([place, session]) => {
    return checkSession(place, session, positions.get(session[0].key) ?? new Map());
  });
}

function checkSession(
  place: string,
  session: readonly ListOperation[],
  positions: ReadonlyMap<string, number>,
): SessionAnomaly[] {
  const anomalies: SessionAnomaly[] = [];
  const tell = (guarantee: SessionGuarantee, sentence: string): void => {
    anomalies.push({ guarantee, sentence: `${place}: ${sentence}` });
  };
  /** Elements that the session knows to be there: from its own appends, and from what it has read. */
  const reads: { readonly length: number; readonly endMs: number }[] = [];
  let written = 0;
  let read = 0;
  let lastAppend = -1;
  for (const { input, output, outcome, startMs, endMs } of session) {
    if (outcome === "fail") continue;
    if (input.kind === "append") {
      const position = positions.get(input.element);
      if (position === undefined) continue;
      if (position < lastAppend)
        tell("monotonic writes", `${input.element} overtook an earlier one`);
      const known = outcome === "ok" ? read : answered(reads, startMs);
      if (position < known)
        tell("writes follow reads", `${input.element} is in what was read before`);
      lastAppend = Math.max(lastAppend, position);
      // Without an answer it may take effect at any time.
      if (outcome === "ok") written = Math.max(written, position + 1);
      continue;
    }
    if (outcome !== "ok" || output === null || !("elements" in output)) continue;
    const { length } = output.elements;
    if (length < written)
      tell("read your writes", `${length} elements where ${written} were written`);
    if (length < read) tell("monotonic reads", `${length} elements where ${read} were read`);
    read = Math.max(read, length);
    reads.push({ length, endMs });
  }
  return anomalies;
}

/** What the session had read and been answered before that moment. */
function answered(
  reads: readonly { readonly length: number; readonly endMs: number }[],
  beforeMs: number,
): number {
  let longest = 0;
  for (const { endMs, length } of reads) {
    if (endMs < beforeMs) longest = Math.max(longest, length);
  }
  return longest;
}
