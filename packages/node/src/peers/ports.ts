/** What the peer network is given from outside: a voice, time and chance. */
import type { PeerRefusal } from "./connection-refusal.ts";

/** The part of pino's logger that is used here: fields first, then a constant sentence. */
export interface PeerLogger {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

export interface PeerClock {
  /** Unix ms. */
  nowMs(): number;
  /** Runs `run` once after `delayMs`; the returned function calls it off. */
  after(delayMs: number, run: () => void): () => void;
}

export interface PeerPorts {
  readonly logger: PeerLogger;
  /** For the trail. Must not throw; what equals a refusal of a moment ago is only counted. */
  onRefused(refusal: PeerRefusal): void;
  readonly clock: PeerClock;
  /** In [0, 1). */
  random(): number;
}

/** The machine's clock. Its timers do not keep the process alive. */
export const systemPeerClock: PeerClock = {
  nowMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
