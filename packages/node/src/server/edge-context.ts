/** What connection and server commands may see and do. The server implements it; commands never see its classes. */
import type { Argv } from "../resp/argv.ts";
import type { Reply } from "../resp/reply.ts";
import type { ReplicaView } from "../replica/replica-view.ts";

/** One connected client, as CLIENT LIST shows it. */
export interface ClientView {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly connectedAtMs: number;
  readonly isUnixSocket: boolean;
  name: string;
  libraryName: string;
  libraryVersion: string;
  /** The authenticated user's name, or null before AUTH. */
  user: string | null;
  protocol: 2 | 3;
  consistency: Consistency;
  noEvict: boolean;
  noTouch: boolean;
  /** CLIENT REPLY. */
  replyMode: "on" | "off" | "skipNext";
  /** Ends the connection, after what is already written when `afterReply`. */
  close(afterReply: boolean): void;
}

/**
 * session: read your own writes, never go back on one connection. linearizable: nothing older than the moment of
 * the call. local: whatever this node has, also without a leader.
 */
export type Consistency = "session" | "linearizable" | "local";

/** A running number of everything INFO counts. */
export interface ServerCounters {
  connectionsReceived: number;
  commandsProcessed: number;
  rejectedConnections: number;
  netInputBytes: number;
  netOutputBytes: number;
  keyspaceHits: number;
  keyspaceMisses: number;
  expiredKeys: number;
  errorReplies: number;
  protocolErrors: number;
}

export interface ServerView {
  readonly startedAtMs: number;
  readonly runId: string;
  readonly counters: ServerCounters;
  clients(): Iterable<ClientView>;
  clientById(id: number): ClientView | undefined;
  /** CONFIG GET and SET; see config/. */
  readonly settings: SettingsView;
  readonly replica: ReplicaView;
  nowMs(): number;
}

export interface SettingsView {
  /** Pairs whose name matches one of the glob patterns, secrets redacted as Redis shows them. */
  match(patterns: readonly string[]): readonly (readonly [string, string])[];
  /** All or nothing; an error text as Redis words it, or null. */
  set(pairs: readonly (readonly [string, string])[]): string | null;
  get(name: string): string | undefined;
}

export interface EdgeContext {
  readonly argv: Argv;
  readonly reply: Reply;
  readonly client: ClientView;
  readonly server: ServerView;
  /**
   * The answer comes later (WAIT): the connection takes no further command until `resume` is called; `reply` stays
   * valid until then. The callback given to `onGone` runs when the client leaves first.
   */
  defer(onGone: () => void): { resume(): void };
}
