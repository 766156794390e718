/** Gets the bytes of chunks that the leader announces at the node that has them (snapshot-sources.ts). */
import type { NodeId, SnapshotChunk } from "@ferrite/raft";
import type { LentChunk, PeerPayload } from "./transport.ts";

/** Announced chunks that are remembered; beyond it the oldest is forgotten, and is announced again. */
export const WANTED_MAX = 16;
/** In election timeouts: a chunk that is announced again within it was announced twice, not missed. */
const ASK_AGAIN_TIMEOUTS = 0.5;

type Bytes = Extract<PeerPayload, { readonly kind: "chunkBytes" }>;

export interface SnapshotBorrowerPorts {
  readonly electionTimeoutMs: number;
  monotonicMs(): number;
  send(to: NodeId, payload: PeerPayload): boolean;
  /** The chunk is whole, as if the leader had sent it. */
  received(chunk: SnapshotChunk): void;
}

export class SnapshotBorrower {
  readonly #ports: SnapshotBorrowerPorts;
  /** By number of request, oldest first. */
  readonly #wanted: Map<number, { readonly chunk: LentChunk; readonly askedAtMs: number }> =
    new Map();
  #nextRequestId: number;

  constructor(ports: SnapshotBorrowerPorts, firstRequestId: number) {
    this.#ports = ports;
    this.#nextRequestId = firstRequestId;
  }

  /** From the leader: a chunk without its bytes. */
  announced(chunk: LentChunk): void {
    const nowMs = this.#ports.monotonicMs();
    const known = [...this.#wanted].find(([, wanted]) => isSame(wanted.chunk, chunk));
    const askedAgoMs = nowMs - (known?.[1].askedAtMs ?? -Infinity);
    if (askedAgoMs < ASK_AGAIN_TIMEOUTS * this.#ports.electionTimeoutMs) return;
    const { source, meta, offsetBytes, lengthBytes } = chunk;
    // The same number again: an answer that is on its way still is one.
    const requestId = known?.[0] ?? this.#nextRequestId++;
    const { incarnation } = source;
    const range = { index: meta.index, offsetBytes, lengthBytes };
    // What can not be asked for is announced again, or the leader finds another way.
    if (!this.#ports.send(source.node, { kind: "chunkRead", requestId, incarnation, ...range }))
      return;
    this.#wanted.set(requestId, { chunk, askedAtMs: nowMs });
    if (this.#wanted.size <= WANTED_MAX) return;
    for (const oldest of this.#wanted.keys()) {
      this.#wanted.delete(oldest);
      return;
    }
  }

  /** From a source. An empty answer is none: the leader will see that nothing moves. */
  answered(from: NodeId, { requestId, data }: Bytes): void {
    const chunk = this.#wanted.get(requestId)?.chunk;
    if (chunk === undefined || chunk.source.node !== from) return;
    this.#wanted.delete(requestId);
    if (data.length === chunk.lengthBytes) this.#ports.received({ ...chunk, data });
  }

  /** What was asked for over that link may be lost. */
  disconnected(peer: NodeId): void {
    for (const [requestId, { chunk }] of this.#wanted) {
      if (chunk.source.node === peer) this.#wanted.delete(requestId);
    }
  }
}

function isSame(one: LentChunk, other: LentChunk): boolean {
  return (
    one.term === other.term &&
    one.from === other.from &&
    one.source.node === other.source.node &&
    one.source.incarnation === other.source.incarnation &&
    one.meta.index === other.meta.index &&
    one.offsetBytes === other.offsetBytes
  );
}
