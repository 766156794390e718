/** What of a payload is worth a place in the trace. */
import type { PeerPayload, SnapshotOffer } from "@ferrite/node/simulation";
import type { Message } from "@ferrite/raft";

export function describePayload(payload: PeerPayload): string {
  switch (payload.kind) {
    case "raft":
      return describeMessage(payload.message);
    case "forward": {
      const batch = Buffer.from(payload.batch);
      return `forward ${batch.readDoubleLE(24)}.${batch.readDoubleLE(32)}`;
    }
    case "forwardRefused":
      return `forwardRefused ${payload.incarnation}.${payload.sequence} ${payload.reason}`;
    case "snapshotOffer":
      return `snapshotOffer ${describeOffer(payload.offer)}`;
    case "chunkNotice":
      return `notice of ${describeMessage(payload.chunk)}`;
    case "chunkRead":
      return `chunkRead ${payload.index} ${payload.offsetBytes}+${payload.lengthBytes}`;
    case "chunkBytes":
      return `chunkBytes ${payload.data.length}`;
    default:
      return payload.kind;
  }
}

function describeOffer(offer: SnapshotOffer): string {
  if (offer.state === "none") return "none";
  return `${offer.state} ${offer.state === "ready" ? offer.meta.index : offer.index}`;
}

function describeMessage(message: Message): string {
  const head = `${message.kind} ${message.term}`;
  switch (message.kind) {
    case "append":
      return `${head} ${message.previousIndex}+${message.entries.length} commit ${message.commit}`;
    case "appendResponse":
      return `${head} ${message.success ? `match ${message.matchIndex}` : `refused ${message.rejectedIndex}`}`;
    case "snapshotChunk":
      return `${head} ${message.meta.index} ${message.offsetBytes}+${message.data.length} of ${message.meta.sizeBytes}`;
    case "snapshotResponse":
      return `${head} ${message.index} ${message.installed ? "installed" : `next ${message.nextOffsetBytes}`}`;
    case "voteResponse":
    case "preVoteResponse":
      return `${head} ${message.granted ? "granted" : "refused"}`;
    default:
      return head;
  }
}
