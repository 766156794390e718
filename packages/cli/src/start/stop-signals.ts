/**
 * The signals that ask a node to stop. The first one asks, the second one ends the process at once. One signal may be
 * delivered twice (to the process group, and by npm or a supervisor that passes it on): a repeat right behind the first
 * is that echo and not a second wish. SIGHUP asks to stop only when it says that the terminal is gone.
 */
import { SIGNAL_EXIT_CODES, type ProcessPort, type StopSignal } from "../world.ts";

/** The same signal again within this time is an echo. */
export const SIGNAL_ECHO_MS = 500;

export interface StopSignals {
  /** Resolves with the first signal. */
  readonly first: Promise<StopSignal>;
  /** No longer listens. */
  release(): void;
}

export interface StopSignalOptions {
  /**
   * Ctrl-C reaches every process of a terminal at the same time. A node with a parent leaves it to the parent, which
   * stops its nodes in the right order.
   */
  readonly ignoreInterrupt: boolean;
  /** Asked at SIGHUP: true when that was a wish to read files again, and not that the terminal is gone. */
  readonly onHangup?: () => boolean;
  /** Runs before the second signal ends the process. */
  readonly beforeExit?: () => void;
}

export function listenForStop(port: ProcessPort, options: StopSignalOptions): StopSignals {
  const listeners: (readonly [StopSignal, () => void])[] = [];
  let seen: { readonly signal: StopSignal; readonly atMs: number } | null = null;
  const first = new Promise<StopSignal>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      const listener = (): void => {
        if (signal === "SIGINT" && options.ignoreInterrupt) return;
        if (signal === "SIGHUP" && options.onHangup?.() === true) return;
        const nowMs = performance.now();
        if (seen !== null) {
          if (seen.signal === signal && nowMs - seen.atMs < SIGNAL_ECHO_MS) return;
          options.beforeExit?.();
          port.exit(SIGNAL_EXIT_CODES[signal]);
        }
        seen = { signal, atMs: nowMs };
        resolve(signal);
      };
      listeners.push([signal, listener]);
      port.on(signal, listener);
    }
  });
  return {
    first,
    release() {
      for (const [signal, listener] of listeners) port.off(signal, listener);
    },
  };
}
