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
  latencyMs: { readonly low: number; readonly high: number };
}

export const CALM_NETWORK: NetworkFaults = {
  lossRate: 0,
  repeatRate: 0,
  lateRate: 0,
  latencyMs: { low: 0.1, high: 0.5 },
};

interface Endpoint {
  readonly events: TransportEvents;
  readonly timeMs: () => number;
}

export class VirtualNetwork {
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  readonly #endpoints: Map<string, Endpoint> = new Map();
  readonly #cuts: Set<string> = new Set();
  /** Called with every payload that is delivered, for the trace. */
  onDeliver: (from: string, to: string, payload: PeerPayload) => void = () => {};
  /** Called with every payload that a node hands over, before chance has its say. */
  onSend: (from: string, payload: PeerPayload) => void = () => {};
  faults: NetworkFaults = CALM_NETWORK;

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
      if (this.#cuts.has(link(id, other))) continue;
      this.#scheduler.after(this.#latencyMs(), () => {
        if (this.#endpoints.get(other)?.events === events)
          events.onDisconnected(id, { refused: true });
      });
    }
  }

  cut(from: string, to: string): void {
    this.#cuts.add(link(from, to));
  }

  heal(): void {
    this.#cuts.clear();
  }

  transport(from: string): Transport & { flush(): void } {
    return {
      send: (to, payload) => this.#send(from, to, payload),
      connected: (peer) => this.#endpoints.has(peer) && !this.#cuts.has(link(from, peer)),
      flush: () => {},
    };
  }

  #send(from: string, to: string, payload: PeerPayload): boolean {
    const sender = this.#endpoints.get(from);
    if (sender === undefined || !this.#endpoints.has(to)) return false;
    this.onSend(from, payload);
    const sentAtMs = sender.timeMs();
    const bytes = encodePayload(payload);
    const copies = this.#prng.chance(this.faults.repeatRate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.#prng.chance(this.faults.lossRate)) continue;
      this.#scheduler.after(this.#latencyMs(), () => this.#deliver(from, to, bytes, sentAtMs));
    }
    return true;
  }

  #deliver(from: string, to: string, bytes: Buffer, sentAtMs: number): void {
    const receiver = this.#endpoints.get(to);
    if (receiver === undefined || this.#cuts.has(link(from, to))) return;
    const payload = decodePayload(Buffer.from(bytes), { from, to });
    this.onDeliver(from, to, payload);
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

function link(from: string, to: string): string {
  return `${from}>${to}`;
}
