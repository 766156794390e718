/**
 * A network that loses, delays, repeats and reorders, and that can be cut in one direction at a time. Payloads really
 * become bytes and are decoded again, so that the codec is part of every simulation.
 */
import { decodePayload, encodePayload } from "@ferrite/node/simulation";
import type { PeerPayload, Transport, TransportEvents } from "@ferrite/node/simulation";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";

export interface NetworkFaults {
  lossRate: number;
  repeatRate: number;
  /** Of messages that are held back for much longer than the others. */
  lateRate: number;
  /** Messages overtake each other, as they never do on one connection. */
  reorders: boolean;
  latencyMs: { readonly low: number; readonly high: number };
}

export const CALM_NETWORK: NetworkFaults = {
  lossRate: 0,
  repeatRate: 0,
  lateRate: 0,
  reorders: false,
  latencyMs: { low: 0.1, high: 0.5 },
};

interface Endpoint {
  readonly events: TransportEvents;
  readonly timeMs: () => number;
}

/** One direction between two nodes. */
class Lane {
  isCut = false;
  /** Counts the breaks: what was on its way before one is lost. */
  breaks = 0;
  /** When the newest message arrives. */
  arrivesAtMs = 0;
}

export class VirtualNetwork {
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  readonly #endpoints: Map<string, Endpoint> = new Map();
  /** By sender, then by receiver. */
  readonly #lanes: Map<string, Map<string, Lane>> = new Map();
  /** Called with every payload that is delivered, and its bytes, for the trace. */
  onDeliver: (from: string, to: string, payload: PeerPayload, bytes: Buffer) => void = () => {};
  /** Called with every payload that a node hands over, before chance has its say. */
  onSend: (from: string, payload: PeerPayload, to: string) => void = () => {};
  faults: NetworkFaults = CALM_NETWORK;
  /** False: one of the two refuses a link to the other. */
  mayLink: (left: string, right: string) => boolean = () => true;

  constructor(scheduler: Scheduler, prng: Prng) {
    this.#scheduler = scheduler;
    this.#prng = prng;
  }

  /** A node comes up: it can be reached from now on. */
  attach(id: string, endpoint: Endpoint): void {
    this.#endpoints.set(id, endpoint);
    for (const [other, { events }] of this.#endpoints) {
      if (other === id) continue;
      this.#scheduler.after(1, () => {
        if (this.#endpoints.get(other)?.events === events) events.onConnected(id);
      });
      this.#scheduler.after(1, () => {
        if (this.#endpoints.get(id) === endpoint) endpoint.events.onConnected(other);
      });
    }
  }

  /** A node is gone: what is on its way to it is lost, and its peers' connections are reset. */
  detach(id: string): void {
    this.#endpoints.delete(id);
    for (const [other, { events }] of this.#endpoints) {
      if (this.#lane(id, other).isCut) continue;
      this.#scheduler.after(this.#latencyMs(), () => {
        if (this.#endpoints.get(other)?.events === events)
          events.onDisconnected(id, { refused: true });
      });
    }
  }

  /** The connections between two nodes break, and what is on them is lost; both find out and connect again. */
  reset(left: string, right: string): void {
    for (const [from, to] of [
      [left, right],
      [right, left],
    ] as const) {
      const lane = this.#lane(from, to);
      lane.breaks++;
      lane.arrivesAtMs = 0;
      this.#scheduler.after(this.#latencyMs(), () =>
        this.#endpoints.get(from)?.events.onDisconnected(to, { refused: false }),
      );
      this.#scheduler.after(5 + this.#latencyMs(), () => {
        if (this.#endpoints.has(to)) this.#endpoints.get(from)?.events.onConnected(to);
      });
    }
  }

  cut(from: string, to: string): void {
    this.#lane(from, to).isCut = true;
  }

  heal(): void {
    for (const lanes of this.#lanes.values()) {
      for (const lane of lanes.values()) lane.isCut = false;
    }
  }

  /** Both are there and nothing is cut between them. */
  isReachable(left: string, right: string): boolean {
    const areThere = this.#endpoints.has(left) && this.#endpoints.has(right);
    return areThere && !this.#lane(left, right).isCut && !this.#lane(right, left).isCut;
  }

  isLinked(left: string, right: string): boolean {
    return this.isReachable(left, right) && this.mayLink(left, right);
  }

  transport(from: string): Omit<Transport, "lendsSnapshots"> & { flush(): void } {
    return {
      send: (to, payload) => this.#send(from, to, payload),
      connected: (peer) => this.#endpoints.has(peer) && !this.#lane(from, peer).isCut,
      flush: () => {},
    };
  }

  #send(from: string, to: string, payload: PeerPayload): boolean {
    const sender = this.#endpoints.get(from);
    if (sender === undefined || !this.#endpoints.has(to) || !this.mayLink(from, to)) return false;
    this.onSend(from, payload, to);
    const sentAtMs = sender.timeMs();
    const bytes = encodePayload(payload);
    const isRepeated = this.#prng.chance(this.faults.repeatRate) && mayBeRepeated(payload);
    const copies = isRepeated ? 2 : 1;
    const lane = this.#lane(from, to);
    const { breaks } = lane;
    for (let copy = 0; copy < copies; copy++) {
      if (this.#prng.chance(this.faults.lossRate)) continue;
      // Each receiver keeps views into the bytes it got: no two may have the same.
      const own = copy === 0 ? bytes : Buffer.from(bytes);
      this.#scheduler.after(this.#delayMs(lane), () => {
        if (lane.breaks === breaks && !lane.isCut) this.#deliver(from, to, own, sentAtMs);
      });
    }
    return true;
  }

  /** A connection keeps its order: what is held back holds back all behind it. */
  #delayMs(lane: Lane): number {
    const latencyMs = this.#latencyMs();
    if (this.faults.reorders) return latencyMs;
    const { nowMs } = this.#scheduler;
    lane.arrivesAtMs = Math.max(nowMs + latencyMs, lane.arrivesAtMs);
    return lane.arrivesAtMs - nowMs;
  }

  #lane(from: string, to: string): Lane {
    let lanes = this.#lanes.get(from);
    if (lanes === undefined) {
      lanes = new Map();
      this.#lanes.set(from, lanes);
    }
    let lane = lanes.get(to);
    if (lane === undefined) {
      lane = new Lane();
      lanes.set(to, lane);
    }
    return lane;
  }

  #deliver(from: string, to: string, bytes: Buffer, sentAtMs: number): void {
    const receiver = this.#endpoints.get(to);
    if (receiver === undefined || !this.mayLink(from, to)) return;
    const payload = decodePayload(bytes, { from, to });
    this.onDeliver(from, to, payload, bytes);
    receiver.events.onPayload(from, payload, sentAtMs);
  }

  #latencyMs(): number {
    const { low, high } = this.faults.latencyMs;
    const latency = low + this.#prng.next() * (high - low);
    return this.#prng.chance(this.faults.lateRate)
      ? latency * this.#prng.between(10, 200)
      : latency;
  }
}

/** A forward and its refusal arrive at most once: the transport promises that (replica/transport.ts). */
function mayBeRepeated({ kind }: PeerPayload): boolean {
  return kind !== "forward" && kind !== "forwardRefused";
}
