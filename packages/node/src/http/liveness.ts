/**
 * Whether the process should be restarted: the event loop and the log worker answer. It never asks about a quorum,
 * a leader or other nodes, else a partition would restart the whole cluster.
 */
export interface LivenessSource {
  /** Calls back once the log worker has taken the message and answered. */
  pingLogWorker(onAnswer: () => void): void;
}

/** A log worker that does not answer for this long hangs; a slow disk alone is given this time. */
export const LOG_WORKER_ANSWER_MS_MAX = 10_000;

/** Resolves to null when the log worker answers in time, else to what is wrong. */
export function checkLiveness(source: LivenessSource, timeoutMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve(`the log worker has not answered for ${timeoutMs} ms`);
    }, timeoutMs);
    timer.unref();
    source.pingLogWorker(() => {
      clearTimeout(timer);
      resolve(null);
    });
  });
}
