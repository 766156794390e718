/** The bench can not go on: a server did not come up, answered wrongly, or the machine lacks a part. */
export class BenchError extends Error {
  readonly code = "ERR_FERRITE_BENCH";
}
