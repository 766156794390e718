/** What connection and server commands may see and do. The server implements it; commands never see its classes. */
import type { User, UserTable } from "@ferrite/acl";
import type { AccessView } from "../access/access-view.ts";
import type { AtRestView } from "../at-rest/at-rest-view.ts";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { CertificatesView } from "../certificates/live-credentials.ts";
import type { ClientOrigin } from "../security/client-origin.ts";
import type { Argv } from "../resp/argv.ts";
import type { Reply } from "../resp/reply.ts";
import type { ReplicaView } from "../replica/replica-view.ts";
import type { RunnableCommand } from "../commands/command.ts";
import type { ClientTls } from "./client-tls.ts";
import type { Consistency } from "../commands/consistency-levels.ts";

/** One connected client, as CLIENT LIST shows it. */
export interface ClientView {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly connectedAtMs: number;
  readonly origin: ClientOrigin;
  /** Null: it came without TLS. */
  readonly tls: ClientTls | null;
  name: string;
  libraryName: string;
  libraryVersion: string;
  /** As whom the client acts (byte string), or null before AUTH. */
  readonly user: string | null;
  protocol: 2 | 3;
  consistency: Consistency;
  /** How old a bounded read may be. */
  readBoundMs: number;
  noEvict: boolean;
  noTouch: boolean;
  /**
   * CLIENT REPLY. "skipNext" drops the reply of the next command and is "on" again after it: the connection takes care
   * that the command which set it is not the one skipped.
   */
  replyMode: "on" | "off" | "skipNext";
  /** When bytes last came from the client. */
  readonly lastInteractionAtMs: number;
  /** The last command's name as CLIENT LIST prints it ("client|list"), "NULL" before the first. */
  readonly lastCommandName: string;
  /** Log position of the last write of this connection that was applied, 0 before the first: what WAIT waits for. */
  readonly lastWriteIndex: number;
  /** Waits in a command (WAIT). */
  readonly isBlocked: boolean;
  /** Bytes received and not run yet. */
  queryBufferBytes(): number;
  /** Bytes of replies the client has not taken yet. */
  outputBufferBytes(): number;
  /** Ends the connection, after what is already written when `afterReply`. */
  close(afterReply: boolean): void;
  /** The client has proved to be `user` (access/login.ts). */
  logIn(user: User, users: UserTable): void;
  /** As a new connection (RESET): whom its certificate names, or nobody. */
  logOut(users: UserTable): void;
}

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

/** Counts of one command since start or CONFIG RESETSTAT (INFO commandstats). */
export interface CommandStatistic {
  readonly name: string;
  readonly calls: number;
  /** Estimated from one timed call in 64; writes run inside apply and count 0 here. */
  readonly microseconds: number;
  /** Refused before running: arity, NOAUTH, unable to take writes. */
  readonly rejectedCalls: number;
  /** Answered with an error by the command itself. */
  readonly failedCalls: number;
}

export interface ServerStatistics {
  readonly instantaneousOperationsPerSecond: number;
  readonly instantaneousInputKilobytesPerSecond: number;
  readonly instantaneousOutputKilobytesPerSecond: number;
  commands(): readonly CommandStatistic[];
  /** Error replies by their code word ("ERR", "NOAUTH"), sorted by it. */
  errors(): readonly (readonly [string, number])[];
  /** CONFIG RESETSTAT. */
  reset(): void;
}

/** TLS on the RESP port. */
export interface TlsView {
  readonly connectedClients: number;
  /** Done since the start or CONFIG RESETSTAT, as the next ones. */
  readonly handshakes: number;
  readonly handshakeFailures: number;
  /** Every reason there is with its count. */
  failuresByReason(): readonly (readonly [reason: string, count: number])[];
  /** Requests refused because they came without TLS (require-tls). */
  readonly plaintextRefusals: number;
  /** Connections closed because their certificate was revoked, expired or is not trusted any more. */
  readonly certificatesClosed: number;
}

/** What only the operating system knows; read at the rim, so that commands stay pure. */
export interface ProcessFacts {
  readonly processId: number;
  readonly operatingSystem: string;
  readonly architectureBits: number;
  readonly executable: string;
  readonly nodeVersion: string;
  readonly totalSystemBytes: number;
  residentBytes(): number;
  /** Heap and external memory in use. */
  usedBytes(): number;
  /** The most `usedBytes` has ever said. */
  peakUsedBytes(): number;
  cpuUserSeconds(): number;
  cpuSystemSeconds(): number;
}

export interface ServerView {
  readonly startedAtMs: number;
  readonly runId: string;
  readonly counters: ServerCounters;
  readonly statistics: ServerStatistics;
  readonly tls: TlsView;
  readonly process: ProcessFacts;
  readonly access: AccessView;
  readonly audit: AuditTrail;
  /** Of this node; none without TLS. */
  readonly certificates: CertificatesView;
  readonly atRest: AtRestView;
  /** The port of the RESP listener, also when it was chosen by the system. */
  readonly tcpPort: number;
  /** Ferrite's own version. */
  readonly ferriteVersion: string;
  /** What a new connection starts with and RESET returns to. */
  readonly defaultConsistency: Consistency;
  readonly defaultReadBoundMs: number;
  clients(): Iterable<ClientView>;
  clientById(id: number): ClientView | undefined;
  readonly clientCount: number;
  /** CONFIG GET and SET; see config/. */
  readonly settings: SettingsView;
  readonly replica: ReplicaView;
  /** From the system's generator, for what must not be guessed. */
  randomBytes(count: number): Buffer;
  nowMs(): number;
  /** Microseconds since the Unix epoch, for TIME. */
  nowMicroseconds(): number;
}

export interface SettingsView {
  /** Pairs whose name matches one of the glob patterns, secrets redacted as Redis shows them. */
  match(patterns: readonly string[]): readonly (readonly [string, string])[];
  /** All or nothing; an error text as Redis words it, or null. */
  set(pairs: readonly (readonly [string, string])[]): string | null;
  /** What `set` would answer, without changing anything. */
  check(pairs: readonly (readonly [string, string])[]): string | null;
  /** Null, or what is to be waited for before `set`: files are looked at. Its error text, or null. */
  prepare(pairs: readonly (readonly [string, string])[]): Promise<string | null> | null;
  get(name: string): string | undefined;
}

export interface EdgeContext {
  readonly argv: Argv;
  readonly reply: Reply;
  readonly client: ClientView;
  readonly server: ServerView;
  /** The command that runs: containers share code between sub-commands. */
  readonly command: RunnableCommand;
  /**
   * The answer comes later (WAIT): the connection takes no further command until `resume` is called; `reply` stays
   * valid until then. The callback given to `onGone` runs when the client leaves first; `resume` then does nothing,
   * and the command must not write to `reply` any more. The arguments are not valid after `run` has returned.
   */
  defer(onGone: () => void): { resume(): void };
}
