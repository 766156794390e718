/**
 * Lets the cluster witness this node's chain: the head is put into the Raft log from time to time, after it is durable
 * here. From then on whoever rewrites or cuts this node's files would have to rewrite the log of a majority too.
 *
 * It also looks the other way: what the cluster has witnessed has to be in this node's trail. After a start that is how a
 * trail that was cut or replaced while the node was down is noticed, by the node itself.
 */
import type { AuditAnchors } from "../replica/access-state.ts";
import type { ChainHead } from "./chain-head.ts";

export interface AnchoringParts {
  readonly nodeId: string;
  readonly intervalMs: number;
  /** The newest durable record, after making all of them durable. */
  makeDurable(): Promise<ChainHead | null>;
  /** The hash of one record of this node's trail; null when it is not there, undefined when that can not be told. */
  hashAt(sequence: number): Promise<string | null | undefined>;
  /** The cluster witnessed something else than what stands here. `found` is null when nothing stands there. */
  mismatch(anchor: ChainHead, found: string | null): void;
  failed(error: Error): void;
}

export class Anchoring {
  readonly #parts: AnchoringParts;
  #anchors: AuditAnchors | null = null;
  #isCaughtUp: () => boolean = () => false;
  #nextMs = 0;
  #isBusy = false;
  /** Sequences that this process has proposed and need not check. */
  #proposed = 0;
  #checked = 0;

  constructor(parts: AnchoringParts) {
    this.#parts = parts;
  }

  /** `isCaughtUp`: this node has applied what it may have proposed before. Earlier an anchor could be overlooked. */
  attach(anchors: AuditAnchors, isCaughtUp: () => boolean): void {
    this.#anchors = anchors;
    this.#isCaughtUp = isCaughtUp;
  }

  /** Of this node, or null. */
  anchored(): ChainHead | null {
    return toHead(this.#anchors?.latest().get(this.#parts.nodeId));
  }

  all(): readonly (readonly [string, ChainHead])[] {
    const latest = [...(this.#anchors?.latest() ?? [])];
    return latest.map(([nodeId, { sequence, head }]) => [nodeId, { sequence, hash: head }]);
  }

  /** To be called often; does something every interval, when there are records above the last anchor. */
  tick(nowMs: number): void {
    const anchors = this.#anchors;
    if (anchors === null || this.#isBusy || nowMs < this.#nextMs || !this.#isCaughtUp()) return;
    this.#nextMs = nowMs + this.#parts.intervalMs;
    this.#isBusy = true;
    this.#round(anchors).then(
      () => {
        this.#isBusy = false;
      },
      (error: Error) => {
        this.#isBusy = false;
        this.#parts.failed(error);
      },
    );
  }

  async #round(anchors: AuditAnchors): Promise<void> {
    await this.#check();
    const head = await this.#parts.makeDurable();
    const newest = Math.max(this.anchored()?.sequence ?? 0, this.#proposed);
    if (head === null || head.sequence <= newest) return;
    const isIn = await new Promise<boolean>((resolve) => {
      anchors.propose({ sequence: head.sequence, head: head.hash }, resolve);
    });
    if (isIn) this.#proposed = head.sequence;
  }

  /** Each anchor of an earlier process is compared once. */
  async #check(): Promise<void> {
    const anchor = this.anchored();
    if (anchor === null || anchor.sequence <= Math.max(this.#checked, this.#proposed)) return;
    const found = await this.#parts.hashAt(anchor.sequence);
    if (found === undefined) return;
    this.#checked = anchor.sequence;
    if (found !== anchor.hash) this.#parts.mismatch(anchor, found);
  }
}

function toHead(
  anchor: { readonly sequence: number; readonly head: string } | undefined,
): ChainHead | null {
  return anchor === undefined ? null : { sequence: anchor.sequence, hash: anchor.head };
}
