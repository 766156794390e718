/** The trail of a node with `audit no`: takes everything and keeps nothing (F88). */
import { NO_HASH } from "./record.ts";
import type { AuditLogView, AuditPage, AuditStatus } from "./audit-log-view.ts";
import type { AuditService } from "./audit-service.ts";

const OFF: AuditPage = { ok: false, errorText: "ERR the audit trail is off (audit no)" };

export class AuditOff implements AuditService {
  readonly log: AuditLogView = this;
  start(): Promise<void> {
    return Promise.resolve();
  }

  attachAnchors(): void {}

  applySettings(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }

  record(): void {}

  readBy(): void {}

  refusal(): string | null {
    return null;
  }

  status(): AuditStatus {
    return {
      enabled: false,
      head: { sequence: 0, hash: NO_HASH },
      chain: "",
      anchored: null,
      anchors: [],
      records: 0,
      dropped: 0,
      repeated: 0,
      sinks: [],
      refusal: null,
    };
  }

  newest(...[, done]: Parameters<AuditLogView["newest"]>): void {
    done(OFF);
  }

  since(...[, , done]: Parameters<AuditLogView["since"]>): void {
    done(OFF);
  }

  follow(...[, done]: Parameters<AuditLogView["follow"]>): () => void {
    done(OFF);
    return () => undefined;
  }
}
