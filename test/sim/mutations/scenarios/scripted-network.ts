/** A network whose messages a scenario lets through, drops, or keeps to deliver them when they are out of date. */
import type { PeerPayload } from "@ferrite/node/simulation";
import { VirtualNetwork } from "../../world/virtual-network.ts";

/** Of one message; ends are node ids. "hold" keeps it until it is released. */
export type Ruling = (from: string, to: string, payload: PeerPayload) => "pass" | "drop" | "hold";
/** Takes a message out of the network's hands: `send` puts it on its way, now or later. */
export type Diversion = (from: string, to: string, payload: PeerPayload, send: () => void) => void;

interface Held {
  readonly from: string;
  readonly to: string;
  readonly payload: PeerPayload;
  readonly send: () => void;
}

export class ScriptedNetwork extends VirtualNetwork {
  #divert: Diversion = (_from, _to, _payload, send) => send();
  #held: Held[] = [];

  get heldCount(): number {
    return this.#held.length;
  }

  /** What is held of the messages between these ends. */
  held(which: (from: string, to: string) => boolean): PeerPayload[] {
    return this.#held.filter(({ from, to }) => which(from, to)).map(({ payload }) => payload);
  }

  /** From now on, in the place of what was said before. */
  rule(ruling: Ruling): void {
    this.divert((from, to, payload, send) => {
      const verdict = ruling(from, to, payload);
      if (verdict === "pass") send();
      else if (verdict === "hold") this.#held.push({ from, to, payload, send });
    });
  }

  divert(diversion: Diversion): void {
    this.#divert = diversion;
  }

  /** All messages pass from now on; what was held is still held. */
  passAll(): void {
    this.divert((_from, _to, _payload, send) => send());
  }

  /** What was held goes on its way, in the order in which it was sent. */
  release(): void {
    this.releaseSome(() => true);
  }

  releaseSome(which: (from: string, to: string, payload: PeerPayload) => boolean): void {
    const held = this.#held;
    this.#held = held.filter(({ from, to, payload }) => !which(from, to, payload));
    for (const message of held) {
      if (!this.#held.includes(message)) message.send();
    }
  }

  /** What was held is lost. */
  forget(): void {
    this.#held = [];
  }

  override transport(from: string): ReturnType<VirtualNetwork["transport"]> {
    const real = super.transport(from);
    return {
      ...real,
      send: (to, payload) => {
        this.#divert(from, to, payload, () => void real.send(to, payload));
        return true;
      },
    };
  }
}
