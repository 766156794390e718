/**
 * Runs reads and edge commands for a connection and keeps the counts. The decision when to run is the connection's
 * (connection.ts); what may run is checked here, so that transactions and access rules have one place to stand.
 */
import type { EdgeCommand, ReadCommand, RunnableCommand } from "../commands/command.ts";
import type { Argv } from "../resp/argv.ts";
import type { Reply } from "../resp/reply.ts";
import type { ConnectionHost } from "./connection-host.ts";
import type { Connection } from "./connection.ts";
import type { EdgeContext, ServerView } from "./edge-context.ts";
import { TIMED_CALLS_INTERVAL } from "./statistics.ts";

/** What an edge command sees of the connection that runs it. One per connection, filled anew for each command. */
export class ConnectionContext implements EdgeContext {
  readonly client: Connection;
  readonly server: ServerView;
  argv!: Argv;
  command!: RunnableCommand;

  constructor(client: Connection, server: ServerView) {
    this.client = client;
    this.server = server;
  }

  /** Changes while CLIENT REPLY ON or RESET runs. */
  get reply(): Reply {
    return this.client.currentReply;
  }

  defer(onGone: () => void): { resume(): void } {
    return this.client.deferCommand(onGone);
  }
}

/**
 * Edge commands that neither change how later commands of their connection are treated nor answer later: writes behind
 * them need not wait for them.
 */
const HARMLESS_EDGE_COMMANDS: ReadonlySet<string> = new Set(["ping", "echo", "time"]);

export function letsWritesPass(command: RunnableCommand): boolean {
  return command.kind === "read" || HARMLESS_EDGE_COMMANDS.has(command.name);
}

/** Redis' words for a write that needs memory when there is no more (maxmemory, noeviction). */
export const OOM = "OOM command not allowed when used memory > 'maxmemory'.";

/** The error of a client that may not run this now, or null. */
export function refusalFor(
  command: RunnableCommand,
  argv: Argv,
  connection: Connection,
): string | null {
  const { host } = connection;
  const denial = host.guard.refusal(command, argv, connection);
  if (denial !== null) return denial;
  // What has to be in the trail does not run while that can not be written (audit-on-failure block).
  if (host.audited.has(command)) {
    const blocked = host.view.audit.refusal();
    if (blocked !== null) return blocked;
  }
  const maxMemoryBytes = host.config().maxMemoryBytes;
  if (
    maxMemoryBytes > 0 &&
    command.kind === "write" &&
    command.flags.includes("denyoom") &&
    host.view.replica.keyspace.usedBytes > maxMemoryBytes
  ) {
    return OOM;
  }
  return null;
}

/** Runs the read that is filled into `context`. */
export function runRead(host: ConnectionHost, context: ConnectionContext): void {
  const command = context.command as ReadCommand;
  const client = context.client;
  const counts = host.statistics.of(command);
  // A linearizable read was confirmed by a leader just now; local asks for whatever is there.
  const refusal = client.consistency === "session" ? host.writePath.readRefusal() : null;
  if (refusal !== null) {
    counts.rejectedCalls++;
    context.reply.error(refusal);
    return;
  }
  const errorsBefore = client.errorCount;
  if ((counts.calls++ & (TIMED_CALLS_INTERVAL - 1)) === 0) {
    const startedMs = performance.now();
    host.writePath.runRead(command, context.argv, context.reply);
    counts.addTimed(startedMs);
  } else {
    host.writePath.runRead(command, context.argv, context.reply);
  }
  if (client.errorCount !== errorsBefore) counts.failedCalls++;
}

/** Runs the edge command that is filled into `context`. */
export function runEdge(host: ConnectionHost, context: ConnectionContext): void {
  const command = context.command as EdgeCommand;
  const client = context.client;
  const counts = host.statistics.of(command);
  const errorsBefore = client.errorCount;
  if ((counts.calls++ & (TIMED_CALLS_INTERVAL - 1)) === 0) {
    const startedMs = performance.now();
    command.run(context);
    counts.addTimed(startedMs);
  } else {
    command.run(context);
  }
  if (client.errorCount !== errorsBefore) counts.failedCalls++;
}
