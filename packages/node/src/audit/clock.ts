/** Time as the trail needs it. Tests bring their own. */
export interface AuditClock {
  /** Unix time in nanoseconds, as fine as the machine tells. May go back when the clock of the machine is set. */
  nowNanoseconds(): bigint;
  /** Never goes back; for intervals. */
  monotonicMs(): number;
  /** Runs once, later. Returns what cancels it. Does not keep the process alive. */
  after(delayMs: number, run: () => void): () => void;
}

/** A wall clock that was set differs from the running one by more than rounding and slewing explain. */
const STEP_NANOSECONDS = 20_000_000n;

/** The machine's clock: the fine counter since start, put right again whenever the wall clock was set. */
export class SystemAuditClock implements AuditClock {
  /** What the counter is behind the time of day. */
  #offset: bigint = nowByOrigin() - process.hrtime.bigint();

  nowNanoseconds(): bigint {
    const wall = BigInt(Date.now()) * 1_000_000n;
    const fine = process.hrtime.bigint() + this.#offset;
    const ahead = fine - wall;
    if (ahead > -STEP_NANOSECONDS && ahead < STEP_NANOSECONDS) return fine;
    this.#offset += wall - fine;
    return wall;
  }

  monotonicMs(): number {
    return performance.now();
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  }
}

/** To the microsecond: the wall clock alone tells milliseconds. */
function nowByOrigin(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
}

/** RFC 3339 with nine digits: `2026-01-02T03:04:05.678901234Z`. */
export function timestampText(nanoseconds: bigint): string {
  const milliseconds = nanoseconds / 1_000_000n;
  const rest = nanoseconds % 1_000_000n;
  const seconds = new Date(Number(milliseconds)).toISOString().slice(0, -1);
  return `${seconds}${rest.toString().padStart(6, "0")}Z`;
}
