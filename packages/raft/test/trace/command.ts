/** One line of a trace: a name, plain words, and key=value pairs. */
import type { TraceWorld } from "./world.ts";

export interface CommandLine {
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

/** What a command does to the world. Each has a file of its own in commands/, with an example in its comment. */
export type Command = (world: TraceWorld, line: CommandLine) => void;

export function parseCommandLine(text: string): CommandLine & { readonly name: string } {
  const [name = "", ...rest] = text.trim().split(/\s+/);
  const pairs = rest.filter((part) => part.includes("="));
  return {
    name,
    words: rest.filter((part) => !part.includes("=")),
    options: new Map(
      pairs.map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)]),
    ),
  };
}

/** The word at `place`; a trace that lacks it is wrong. */
export function wordAt(line: CommandLine, place: number): string {
  const word = line.words[place];
  if (word === undefined) {
    throw new Error(`a word is missing at place ${place + 1}`);
  }
  return word;
}
