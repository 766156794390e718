/** Anchoring this node's audit trail, and what the cluster has witnessed of all of them. */
import type { AuditAnchors } from "./access-state.ts";
import { encodeAnchor, isAnchor, type Anchor, type Anchors } from "./anchors.ts";
import { NODE_ACTOR_ID } from "./batch.ts";
import { InternalClient } from "./internal-client.ts";
import type { WriteClient } from "./write-path.ts";

export interface ReplicatedAnchorsPorts {
  anchors(): Anchors;
  /** Takes an internal write; an error text when it can not be taken. */
  submit(bytes: Buffer, userId: number, client: WriteClient): string | null;
}

export class ReplicatedAnchors implements AuditAnchors {
  readonly #ports: ReplicatedAnchorsPorts;

  constructor(ports: ReplicatedAnchorsPorts) {
    this.#ports = ports;
  }

  /** @throws RangeError for what is no anchor: a sequence that is no whole number, a head that is no digest */
  propose(anchor: Anchor, done: (applied: boolean) => void): void {
    if (!isAnchor(anchor)) throw new RangeError("this is no anchor of an audit trail");
    const client = new InternalClient((outcome) => done(outcome.ok));
    if (this.#ports.submit(encodeAnchor(anchor), NODE_ACTOR_ID, client) !== null) done(false);
  }

  latest(): ReadonlyMap<string, Anchor> {
    return this.#ports.anchors().all;
  }
}
