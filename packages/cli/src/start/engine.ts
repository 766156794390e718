/**
 * How V8 is run in a process that is a node. Its defaults are made for pages and short programs; a node is neither, and
 * with three nodes on two cores this takes about a tenth off the processor time of a write (docs/benchmarks.md).
 *
 * Both settings only move a threshold. A Node version that does not know one of them says so once on
 * standard error and runs as it always did.
 */

/** Sets V8 options by their names on V8's command line. */
export type SetFlags = (flags: string) => void;

export const ENGINE_FLAGS: readonly string[] = [
  /*
   * The heap may become three times what survived the last full collection before the next one begins (V8 itself goes
   * up to four for programs that allocate fast). A node allocates little on the heap, for which V8 allows it a tenth; but
   * every batch of writes brings buffers that live as long as the log's cache. So it was collected whole every other
   * second, 25 MB of code and tables each time, to find next to nothing. The price: 50 MB more at most for 25 MB that live.
   */
  "--heap-growing-percent=200",
  /*
   * A function is compiled by the optimizing compiler after this many calls, not after 3000. What runs once for a batch
   * of writes runs some hundred times a second: with V8's own number that code is slow for the first ten
   * seconds and more under load, which come after each restart.
   */
  "--invocation-count-for-turbofan=500",
];

/** For this process and all its threads. Called once, before the server is loaded. */
export function tuneEngine(setFlags: SetFlags): void {
  for (const flag of ENGINE_FLAGS) setFlags(flag);
}
