/** One connection from a node to another, with the proxy between them: two passages, each under its own condition. */
import { connect, type Socket } from "node:net";
import type { LinkCondition } from "./link-conditions.ts";
import { Passage } from "./passage.ts";

export interface ProxiedEnds {
  readonly from: number;
  readonly to: number;
  readonly targetPort: number;
}

export class ProxiedConnection {
  readonly from: number;
  readonly to: number;
  readonly #targetPort: number;
  readonly #inbound: Socket;
  readonly #random: () => number;
  readonly #onClosed: () => void;
  #outbound: Socket | null = null;
  #there: Passage | null = null;
  #back: Passage | null = null;

  /** `inbound` was accepted and not read yet. `onClosed` is called when both sides are gone. */
  constructor(ends: ProxiedEnds, inbound: Socket, random: () => number, onClosed: () => void) {
    this.from = ends.from;
    this.to = ends.to;
    this.#targetPort = ends.targetPort;
    this.#inbound = inbound;
    this.#random = random;
    inbound.setNoDelay(true);
    // Why a connection broke is seen by the nodes; that it did is handed on by the passages.
    inbound.on("error", () => undefined);
    inbound.on("close", () => {
      if (this.#outbound?.destroyed ?? true) onClosed();
    });
    this.#onClosed = onClosed;
  }

  /** Conditions of both directions, from now on. The first one that is not cut lets the call through. */
  set(there: LinkCondition, back: LinkCondition): void {
    if (this.#outbound === null && !there.isCut && !this.#inbound.destroyed) this.#callThrough();
    this.#there?.set(there);
    this.#back?.set(back);
  }

  /** Breaks it at both ends. */
  reset(): void {
    this.#inbound.resetAndDestroy();
    this.#outbound?.resetAndDestroy();
  }

  #callThrough(): void {
    const port = this.#targetPort;
    const outbound = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
    this.#outbound = outbound;
    outbound.on("error", () => undefined);
    outbound.on("close", () => {
      if (this.#inbound.destroyed) this.#onClosed();
    });
    this.#there = new Passage(this.#inbound, outbound, this.#random);
    this.#back = new Passage(outbound, this.#inbound, this.#random);
  }
}
