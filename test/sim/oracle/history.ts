/**
 * What the clients saw. Every write appends a token of its own to a key, so that the final value of a key is the
 * order in which its writes took effect, and every value ever read must be a beginning of it.
 */
export type Outcome = "applied" | "failed" | "unknown";

export interface AppendRecord {
  readonly client: number;
  readonly key: string;
  readonly token: string;
  readonly startMs: number;
  endMs: number;
  outcome: Outcome;
}

export interface ReadRecord {
  readonly client: number;
  /** Of the node that was asked. */
  readonly node: string;
  /** Counts the client's connections: what a session promises ends with the connection. */
  readonly connection: number;
  readonly key: string;
  readonly mode: "session" | "linearizable";
  readonly startMs: number;
  readonly endMs: number;
  readonly tokens: readonly string[];
  /** Tokens of this connection that were acknowledged before the read was made. */
  readonly ownAcknowledged: readonly string[];
}

export class History {
  readonly appends: AppendRecord[] = [];
  readonly reads: ReadRecord[] = [];
}

/** Tokens have a fixed length, so that a value can be taken apart again. */
export const TOKEN_LENGTH = 8;

export function splitTokens(value: string): string[] {
  const tokens: string[] = [];
  for (let at = 0; at < value.length; at += TOKEN_LENGTH)
    tokens.push(value.slice(at, at + TOKEN_LENGTH));
  return tokens;
}
