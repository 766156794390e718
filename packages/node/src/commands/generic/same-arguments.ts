import type { Argv } from "../../resp/argv.ts";

/** Are two arguments the same bytes? */
export function sameArguments(argv: Argv, first: number, second: number): boolean {
  return (
    argv.buffer.compare(
      argv.buffer,
      argv.starts[second],
      argv.ends[second],
      argv.starts[first],
      argv.ends[first],
    ) === 0
  );
}
