/** The signals that ask a node to stop. The first one asks, the second one ends the process at once. */
import { SIGNAL_EXIT_CODES, type ProcessPort, type StopSignal } from "../world.ts";

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
  /** Runs before the second signal ends the process. */
  readonly beforeExit?: () => void;
}

export function listenForStop(port: ProcessPort, options: StopSignalOptions): StopSignals {
  const listeners: (readonly [StopSignal, () => void])[] = [];
  let seen = false;
  const first = new Promise<StopSignal>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      const listener = (): void => {
        if (signal === "SIGINT" && options.ignoreInterrupt) return;
        if (seen) {
          options.beforeExit?.();
          port.exit(SIGNAL_EXIT_CODES[signal]);
        }
        seen = true;
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
