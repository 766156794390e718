/** Below this length a loop copies faster than a call of the engine (measured on Node 22). */
const LOOP_COPY_BYTES_MAX = 12;

/** Copies `source[start, end)` to `target[at...]`; the ranges may overlap. */
export function copyBytes(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): void {
  if (end - start <= LOOP_COPY_BYTES_MAX && source !== target) {
    for (let from = start; from < end; from += 1) {
      target[at + from - start] = source[from];
    }
    return;
  }
  Buffer.prototype.copy.call(source, target, at, start, end);
}
