/** What FERRITE.AUDIT reads of the trail. Lines are the records as they stand in the file, with their line end. */
import type { ClientView } from "../server/edge-context.ts";
import type { ChainHead } from "./chain-head.ts";

/** What was found, or why nothing could be. */
export type AuditPage =
  | { readonly ok: true; readonly lines: readonly Buffer[] }
  | { readonly ok: false; readonly errorText: string };

export interface SinkStatus {
  readonly name: string;
  readonly delivered: number;
  readonly failures: number;
  readonly dropped: number;
  readonly queuedRecords: number;
  readonly queuedBytes: number;
  /** Why it does not work now, or null. */
  readonly failure: string | null;
}

export interface AuditStatus {
  readonly enabled: boolean;
  /** Newest record; sequence 0 before the first. */
  readonly head: ChainHead;
  /** Id of the chain; empty when the trail is off. */
  readonly chain: string;
  /** What of this node's trail the cluster has witnessed, as far as this node has applied the log. */
  readonly anchored: ChainHead | null;
  /** By node id, all nodes. */
  readonly anchors: readonly (readonly [nodeId: string, anchor: ChainHead])[];
  /** Records since the start. */
  readonly records: number;
  /** Events that were not recorded because the queue was full. */
  readonly dropped: number;
  /** Events that were counted instead of recorded one by one (S52). */
  readonly repeated: number;
  /** The files first, then the sinks. */
  readonly sinks: readonly SinkStatus[];
  /** Why commands that have to be in the trail are refused now, or null. */
  readonly refusal: string | null;
}

export interface AuditLogView {
  /** Somebody reads: recorded once for each connection and user, not for each page. */
  readBy(reader: ClientView): void;
  status(): AuditStatus;
  /** The newest records, newest first. `done` is called once, maybe at once. */
  newest(count: number, done: (page: AuditPage) => void): void;
  /** The oldest records above `after`, oldest first. */
  since(after: number, count: number, done: (page: AuditPage) => void): void;
  /**
   * Like `since`, but waits until there is one, or until the time is over (then none). Returns what gives up; `done` is
   * not called after that.
   */
  follow(
    query: { readonly after: number; readonly count: number; readonly timeoutMs: number },
    done: (page: AuditPage) => void,
  ): () => void;
}
