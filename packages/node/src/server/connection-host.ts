/** What all connections of a server share. */
import type { AccessControl } from "../access/access-control.ts";
import type { RunnableCommand } from "../commands/command.ts";
import type { CommandTable } from "../commands/table.ts";
import type { NodeConfig } from "../config/node-config.ts";
import type { WritePath } from "../replica/write-path.ts";
import type { ChunkPool } from "../resp/chunk-pool.ts";
import type { DecoderLimits } from "../resp/limits.ts";
import type { ServerClock } from "./clock.ts";
import type { ClientStream } from "./client-stream.ts";
import type { ServerView } from "./edge-context.ts";
import type { ConnectionLimits } from "./limits.ts";
import type { ServerLogger } from "./logger.ts";
import type { Statistics } from "./statistics.ts";
import type { TlsStatistics } from "./tls-statistics.ts";

export interface ConnectionHost {
  readonly view: ServerView;
  readonly guard: AccessControl;
  /** Commands that are in the audit trail whenever they run. */
  readonly audited: ReadonlySet<RunnableCommand>;
  readonly table: CommandTable;
  readonly writePath: WritePath;
  readonly statistics: Statistics;
  readonly tls: TlsStatistics;
  readonly clock: ServerClock;
  readonly logger: ServerLogger;
  readonly limits: ConnectionLimits;
  /** One object, changed in place when proto-max-bulk-len changes. */
  readonly decoderLimits: DecoderLimits;
  readonly pool: ChunkPool;
  /** The configuration in force now. */
  config(): NodeConfig;
  /** The connection has replies that were not made by a read event of its own: flush it soon. */
  markDirty(connection: ClientStream): void;
  /** The client has logged in or out. */
  loginChanged(connection: ClientStream): void;
  /** A client spoke TLS where it is not spoken. */
  saidTlsHere(): void;
  /** The connection's socket is closed. */
  removed(connection: ClientStream): void;
}
