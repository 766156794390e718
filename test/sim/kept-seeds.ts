/** Seeds that have once found something, with a line of history each (seeds.txt): they are run before any others. */
import { readFileSync } from "node:fs";

export interface KeptSeed {
  readonly seed: number;
  readonly history: string;
}

/** @throws Error for a line that is none */
export function keptSeeds(): KeptSeed[] {
  const text = readFileSync(new URL("seeds.txt", import.meta.url), "utf8");
  return text
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const match = /^(\d+)\s+(\d{4}-\d\d-\d\d\s+\S.*)$/.exec(line);
      if (match === null) throw new Error(`seeds.txt: not "seed date what": ${line}`);
      return { seed: Number(match[1]), history: match[2] };
    });
}
