/**
 * What may overtake. The word of who leads has to come through while a large value is on its way, or a follower that
 * only waits for its turn calls an election. Raft takes these messages in any order: DESIGN.md says why for each.
 */
import type { Message } from "@ferrite/raft";
import type { PeerPayload } from "../replica/transport.ts";

const URGENT: Readonly<Record<Message["kind"], boolean>> = {
  preVoteRequest: true,
  voteRequest: true,
  preVoteResponse: true,
  voteResponse: true,
  append: false,
  appendResponse: true,
  heartbeat: true,
  heartbeatResponse: true,
  snapshotChunk: false,
  snapshotResponse: false,
  timeoutNow: false,
  readIndexRequest: true,
  readIndexResponse: true,
};

/** Whether the payload goes ahead of those that wait for their turn. All of them are small. */
export function isUrgent(payload: PeerPayload): boolean {
  return payload.kind === "raft" && URGENT[payload.message.kind];
}

/**
 * Whether `next` says nothing that `waiting`, which has not gone yet, does not say. Raft sends again what is not answered in
 * time, and it does not know how long a large frame takes; one copy of it has to be enough.
 */
export function isRepeated(waiting: PeerPayload, next: PeerPayload): boolean {
  if (waiting.kind === "forward") {
    return next.kind === "forward" && next.batch === waiting.batch;
  }
  if (waiting.kind === "chunkBytes") {
    return next.kind === "chunkBytes" && next.requestId === waiting.requestId;
  }
  if (waiting.kind !== "raft" || next.kind !== "raft") {
    return false;
  }
  return isRepeatedMessage(waiting.message, next.message);
}

function isRepeatedMessage(waiting: Message, next: Message): boolean {
  if (waiting.term !== next.term) {
    return false;
  }
  if (waiting.kind === "append" && next.kind === "append") {
    // In one term a leader's log only grows: from the same place on it is the same.
    return (
      waiting.previousIndex === next.previousIndex && next.entries.length <= waiting.entries.length
    );
  }
  return (
    waiting.kind === "snapshotChunk" &&
    next.kind === "snapshotChunk" &&
    waiting.meta.index === next.meta.index &&
    waiting.offsetBytes === next.offsetBytes
  );
}
