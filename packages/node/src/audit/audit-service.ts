/** What the rest of the node holds of the trail, kept or off. */
import type { AuditAnchors } from "../replica/access-state.ts";
import type { AuditLogView } from "./audit-log-view.ts";
import type { AuditSettings } from "./audit-settings.ts";
import type { AuditTrail } from "./audit-trail.ts";

export interface AuditService extends AuditTrail, AuditLogView {
  readonly log: AuditLogView;
  /**
   * Opens the files and goes on with the chain. Events recorded before are kept for it.
   * @throws AuditError when files or settings can not be used: a node must not start with a trail that is none
   */
  start(): Promise<void>;
  /**
   * Lets the cluster witness the chain, from when `isCaughtUp` says that this node has applied what it may have proposed
   * in an earlier process.
   */
  attachAnchors(anchors: AuditAnchors, isCaughtUp: () => boolean): void;
  /** After CONFIG SET: takes what is live of it. */
  applySettings(settings: Pick<AuditSettings, "auditKeys" | "auditOnFailure">): void;
  /** Writes and delivers what is queued, for a few seconds at most. Later events are not recorded. */
  close(): Promise<void>;
}
