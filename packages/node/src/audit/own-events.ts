/** What the trail records about itself. */
import type { AuditClient, AuditEvent } from "./audit-trail.ts";
import type { ChainHead } from "./chain-head.ts";
import { CHAIN_STARTED, NO_HASH } from "./record.ts";

function own(event: Omit<AuditEvent, "category" | "outcome">, failed = true): AuditEvent {
  return { ...event, category: "audit", outcome: failed ? "failure" : "success" };
}

/** The first record of a chain. `follows` is where the one before it ended, if there was one. */
export function chainStarted(reason: string, follows: Partial<ChainHead> | null): AuditEvent {
  const hash = follows?.hash === undefined || follows.hash === NO_HASH ? "unknown" : follows.hash;
  return follows === null
    ? own({ action: CHAIN_STARTED, severity: "notice", reason }, false)
    : own({
        action: CHAIN_STARTED,
        severity: "alert",
        reason,
        before: `${follows.sequence ?? "unknown"}:${hash}`,
      });
}

export function tornTailCut(bytes: number, file: string): AuditEvent {
  const reason = `an unfinished record of ${bytes} bytes at the end of ${file} was cut off`;
  return own({ action: "audit.torn", severity: "warning", reason });
}

export function eventsDropped(count: number): AuditEvent {
  const reason = `${count} events were not recorded: the queue was full`;
  return own({ action: "audit.dropped", severity: "alert", reason });
}

export function sinkDropped(sink: string, count: number): AuditEvent {
  const reason = `${count} records did not reach ${sink}`;
  return own({ action: "audit.sink.dropped", severity: "warning", reason });
}

export function writingFailed(error: Error): AuditEvent {
  return own({ action: "audit.file.failed", severity: "alert", reason: error.message });
}

export function writingRecovered(): AuditEvent {
  return own({ action: "audit.file.recovered", severity: "notice" }, false);
}

export function fileTampered(file: string): AuditEvent {
  const reason = `${file} was removed, replaced or cut from outside; another file was begun`;
  return own({ action: "audit.file.tampered", severity: "alert", reason });
}

export function fileRemoved(file: string): AuditEvent {
  const reason = `${file} was removed: audit-keep-files`;
  return own({ action: "audit.file.removed", severity: "info", reason }, false);
}

/** The trail itself was looked at. */
export function trailRead(client: AuditClient): AuditEvent {
  return { ...own({ action: "audit.read", severity: "notice" }, false), client };
}

/** What the cluster witnessed of this node is not what stands in its trail. */
export function anchorMismatch(anchor: ChainHead, found: string | null): AuditEvent {
  return own({
    action: "audit.anchor.mismatch",
    severity: "alert",
    reason:
      "the cluster witnessed another record than the one in the files, which were changed or cut",
    before: `${anchor.sequence}:${anchor.hash}`,
    after: `${anchor.sequence}:${found ?? "missing"}`,
  });
}
