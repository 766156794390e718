/**
 * Lends this node's snapshot to others, for the leader (snapshot-sources.ts). Only what was offered in this life is read: a file
 * of another life at the same position need not have the same bytes.
 */
import type { Index, NodeId, SnapshotMeta } from "@ferrite/raft";
import type { SnapshotStore } from "@ferrite/storage";
import type { PeerPayload, SnapshotOffer } from "./transport.ts";

/** Ranges that are being read at the same time; what is asked for beyond it comes back empty. */
export const READS_MAX = 32;
/** The longest range that is read at once. */
export const READ_BYTES_MAX: number = 4 * 1024 * 1024;
/** Offers that are remembered: older files are gone by then. */
export const OFFERS_MAX = 4;

const NOTHING: Uint8Array = new Uint8Array(0);

type Ask = Extract<PeerPayload, { readonly kind: "snapshotAsk" }>;
type Read = Extract<PeerPayload, { readonly kind: "chunkRead" }>;

export interface SnapshotLenderPorts {
  readonly incarnation: number;
  readonly store: Pick<SnapshotStore, "read">;
  /** The newest snapshot of this node. */
  latest(): SnapshotMeta | null;
  /** For the leader: the position of one that is being taken, begun now if need be; null when that can not be. */
  take(asker: NodeId, minimumIndex: Index): Index | null;
  connected(peer: NodeId): boolean;
  readFailed(meta: SnapshotMeta, error: Error): void;
  send(to: NodeId, payload: PeerPayload): boolean;
}

export class SnapshotLender {
  readonly #ports: SnapshotLenderPorts;
  readonly #offered: Map<Index, SnapshotMeta> = new Map();
  #reading = 0;
  #lentBytes = 0;

  constructor(ports: SnapshotLenderPorts) {
    this.#ports = ports;
  }

  /** Bytes that others got here. */
  get lentBytes(): number {
    return this.#lentBytes;
  }

  /** The leader asks. */
  asked(from: NodeId, ask: Ask): void {
    const { requestId } = ask;
    this.#ports.send(from, { kind: "snapshotOffer", requestId, offer: this.#offer(from, ask) });
  }

  /** A receiver wants a range. It gets nothing of a file that is gone. */
  read(from: NodeId, wanted: Read): void {
    const meta = this.#offered.get(wanted.index);
    const isOffered = meta !== undefined && wanted.incarnation === this.#ports.incarnation;
    const { offsetBytes, lengthBytes } = wanted;
    const isWithin = lengthBytes <= READ_BYTES_MAX && this.#reading < READS_MAX;
    const isThere = isOffered && offsetBytes + lengthBytes <= meta.sizeBytes;
    if (!isThere || !isWithin) return this.#answer(from, wanted, NOTHING);
    this.#reading++;
    this.#ports.store.read(meta, { offsetBytes, lengthBytes }, (error, data) => {
      this.#reading--;
      if (error !== null) this.#ports.readFailed(meta, error);
      this.#answer(from, wanted, error === null ? data : NOTHING);
    });
  }

  #offer(asker: NodeId, { to, minimumIndex, mayTake }: Ask): SnapshotOffer {
    if (!this.#ports.connected(to)) return { state: "none" };
    const meta = this.#ports.latest();
    if (meta !== null && meta.index >= minimumIndex) {
      this.#remember(meta);
      return { state: "ready", meta, incarnation: this.#ports.incarnation };
    }
    const index = mayTake ? this.#ports.take(asker, minimumIndex) : null;
    return index === null ? { state: "none" } : { state: "beingTaken", index };
  }

  #answer(to: NodeId, { requestId }: Read, data: Uint8Array): void {
    if (this.#ports.send(to, { kind: "chunkBytes", requestId, data }))
      this.#lentBytes += data.length;
  }

  #remember(meta: SnapshotMeta): void {
    this.#offered.set(meta.index, meta);
    if (this.#offered.size > OFFERS_MAX) {
      this.#offered.delete(Math.min(...this.#offered.keys()));
    }
  }
}
