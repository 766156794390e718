/**
 * What a command is. Each lives in a file of its own under `commands/<family>/` and exports one `CommandSpec`;
 * `table.ts` collects them. The specification is data (COMMAND INFO, DOCS, GETKEYS and the ACL read it), `run` is
 * the behaviour.
 */
import type { KeyspaceApi } from "@ferrite/storage";
import type { Argv } from "../resp/argv.ts";
import type { Reply } from "../resp/reply.ts";
import type { EdgeContext } from "../server/edge-context.ts";

/** Redis' command flags, as COMMAND INFO prints them. */
export type CommandFlag =
  | "write"
  | "readonly"
  | "denyoom"
  | "admin"
  | "pubsub"
  | "noscript"
  | "blocking"
  | "loading"
  | "stale"
  | "skip_monitor"
  | "skip_slowlog"
  | "asking"
  | "fast"
  | "no_auth"
  | "may_replicate"
  | "no_mandatory_keys"
  | "no_multi"
  | "movablekeys"
  | "allow_busy"
  | "no_async_loading";

export type AclCategory =
  | "keyspace"
  | "read"
  | "write"
  | "set"
  | "sortedset"
  | "list"
  | "hash"
  | "string"
  | "bitmap"
  | "hyperloglog"
  | "geo"
  | "stream"
  | "pubsub"
  | "admin"
  | "fast"
  | "slow"
  | "blocking"
  | "dangerous"
  | "connection"
  | "transaction"
  | "scripting";

/** What is done to a key. */
export type KeyFlag =
  | "RO"
  | "RW"
  | "OW"
  | "RM"
  | "access"
  | "update"
  | "insert"
  | "delete"
  | "not_key"
  | "incomplete"
  | "variable_flags";

/** Redis 7 key specifications: where keys are and what is done to them. */
export interface KeySpec {
  readonly flags: readonly KeyFlag[];
  readonly notes?: string;
  readonly beginSearch:
    | { readonly kind: "index"; readonly index: number }
    | { readonly kind: "keyword"; readonly keyword: string; readonly startFrom: number }
    | { readonly kind: "unknown" };
  readonly findKeys:
    | {
        readonly kind: "range";
        readonly lastKey: number;
        readonly keyStep: number;
        readonly limit: number;
      }
    | {
        readonly kind: "keynum";
        readonly keyNumberIndex: number;
        readonly firstKey: number;
        readonly keyStep: number;
      }
    | { readonly kind: "unknown" };
}

/** An argument of COMMAND DOCS. */
export interface CommandArgument {
  readonly name: string;
  readonly type:
    | "string"
    | "integer"
    | "double"
    | "key"
    | "pattern"
    | "unix-time"
    | "pure-token"
    | "oneof"
    | "block";
  readonly keySpecIndex?: number;
  readonly token?: string;
  readonly summary?: string;
  readonly since?: string;
  readonly deprecatedSince?: string;
  readonly flags?: readonly ("optional" | "multiple" | "multiple_token")[];
  readonly arguments?: readonly CommandArgument[];
  readonly value?: string;
}

export type CommandGroup =
  | "generic"
  | "string"
  | "connection"
  | "server"
  | "cluster"
  | "transactions"
  | "ferrite";

export interface CommandFacts {
  /** Lower case. */
  readonly name: string;
  readonly summary: string;
  readonly complexity: string;
  readonly since: string;
  readonly group: CommandGroup;
  /** Redis' arity: the command's name counts; negative means at least. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  readonly categories: readonly AclCategory[];
  readonly keySpecs: readonly KeySpec[];
  readonly arguments: readonly CommandArgument[];
  /** [version, what changed] */
  readonly history?: readonly (readonly [string, string])[];
  readonly tips?: readonly string[];
  readonly docFlags?: readonly ("deprecated" | "syscmd")[];
  readonly deprecatedSince?: string;
  readonly replacedBy?: string;
  /** For a key specification with "variable_flags": what this very call does to its keys. */
  readonly keyFlagsOf?: (argv: Argv) => readonly KeyFlag[];
}

/** Counted by the node that asks, for INFO's keyspace_hits and keyspace_misses; never part of the replicated state. */
export interface LookupCounters {
  hits: number;
  misses: number;
}

/** What a command that touches keys gets. One object is reused; nothing in it outlives the call. */
export interface KeyContext {
  readonly argv: Argv;
  readonly reply: Reply;
  readonly keyspace: KeyspaceApi;
  /** In a write: the entry's time, equal on every node. In a read: this node's view of the leader's clock. */
  readonly nowMs: number;
  /** In a write: pseudo-random in [0, 1), seeded by the entry, equal on every node. */
  random(): number;
  /** Where lookups by reads are counted; absent where nobody counts. */
  readonly lookups?: LookupCounters;
}

/** Runs inside apply, on every node, with the same outcome. Never touches anything but its context. */
export interface WriteCommand extends CommandFacts {
  readonly kind: "write";
  run(context: KeyContext): void;
}

/** Runs on the node that was asked, against its own state, and changes nothing. */
export interface ReadCommand extends CommandFacts {
  readonly kind: "read";
  run(context: KeyContext): void;
}

/** Runs at the connection or server that was asked (PING, CLIENT, INFO). May answer later through the context. */
export interface EdgeCommand extends CommandFacts {
  readonly kind: "edge";
  run(context: EdgeContext): void;
}

/** CLIENT, CONFIG, COMMAND, OBJECT: the second word decides. Sub-commands are named "object|encoding". */
export interface ContainerCommand extends CommandFacts {
  readonly kind: "container";
  readonly subcommands: readonly (WriteCommand | ReadCommand | EdgeCommand)[];
  /** What the container does when it is called without a sub-command (COMMAND lists); most have none. */
  readonly bare?: EdgeCommand;
}

export type CommandSpec = WriteCommand | ReadCommand | EdgeCommand | ContainerCommand;
export type RunnableCommand = WriteCommand | ReadCommand | EdgeCommand;
