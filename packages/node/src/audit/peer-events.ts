/** What the trail records of other nodes, or of those who say that they are one. */
import type { PeerRefusal } from "../peers/connection-refusal.ts";
import type { AuditEvent } from "./audit-trail.ts";

/**
 * S31: a connection between nodes was refused or ended. The actions are peer.refused.REASON; the client is the other
 * node with the certificate that it showed.
 */
export function peerRefused(refusal: PeerRefusal): AuditEvent {
  const { reason, text, side, remote, peer, certificate, suppressed } = refusal;
  const repeated = suppressed === 0 ? "" : ` ${suppressed} like it were not recorded.`;
  return {
    category: "connection",
    action: `peer.refused.${reason}`,
    severity: "warning",
    outcome: "failure",
    client: {
      id: 0,
      address: remote,
      localAddress: "",
      name: peer ?? "",
      user: null,
      isTls: certificate !== null,
      certificateFingerprint: certificate?.fingerprint ?? null,
      certificateSerial: certificate?.serial ?? null,
      certificateSubject: certificate?.subject ?? null,
    },
    reason: `${side === "dialed" ? "Dialed: " : ""}${text}${repeated}`,
  };
}
