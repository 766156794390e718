/** Hands what arrives from the other nodes, but for Raft's own messages, to whom it concerns. */
import type { NodeId } from "@ferrite/raft";
import type { CopyCounts } from "./copy-counts.ts";
import type { EntryWriter } from "./entry-writer.ts";
import type { Handovers } from "./handovers.ts";
import type { Proposals } from "./proposals.ts";
import type { SnapshotKeeper } from "./snapshot-keeper.ts";
import type { PeerPayload } from "./transport.ts";
import type { UsersAccess } from "./users-access.ts";

/** After a refusal the leader is given this long before it is asked again. */
const REFUSED_PAUSE_MS = 20;

export interface PeerMailReceivers {
  readonly entries: EntryWriter;
  readonly proposals: Proposals;
  readonly copies: CopyCounts;
  readonly access: UsersAccess;
  readonly leadership: Handovers;
  snapshots(): SnapshotKeeper;
  monotonicMs(): number;
}

export class PeerMail {
  readonly #receivers: PeerMailReceivers;

  constructor(receivers: PeerMailReceivers) {
    this.#receivers = receivers;
  }

  receive(from: NodeId, payload: Exclude<PeerPayload, { readonly kind: "raft" }>): void {
    const { entries, proposals, copies, access, leadership } = this.#receivers;
    switch (payload.kind) {
      case "forward":
        return entries.receive(from, payload.batch);
      case "forwardRefused":
        return proposals.refused(payload, this.#receivers.monotonicMs() + REFUSED_PAUSE_MS);
      case "copiesQuery":
        return copies.answer(from, payload);
      case "copiesAnswer":
        return copies.answered(payload);
      case "leadershipAsk":
      case "leadershipAnswer":
        return leadership.receive(from, payload);
      case "snapshotAsk":
      case "snapshotOffer":
      case "chunkNotice":
      case "chunkRead":
      case "chunkBytes":
        return this.#receivers.snapshots().receiveLoan(from, payload);
      default:
        return access.receive(from, payload);
    }
  }
}
