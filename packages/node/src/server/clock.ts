/** Time for the server's rim. Tests and the simulator bring their own. */
export interface ServerClock {
  /** Unix time in milliseconds. */
  nowMs(): number;
  /** Unix time in microseconds (TIME). */
  nowMicroseconds(): number;
}

/** The machine's clock. */
export const systemClock: ServerClock = {
  nowMs: () => Date.now(),
  nowMicroseconds: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
};
