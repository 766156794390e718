/** Gives the same requests to two targets and compares every raw reply. */
import { escapeBytes } from "../../packages/node/test/commands/transcript.ts";
import type { Profile } from "./command-generator.ts";
import { CommandGenerator } from "./command-generator.ts";
import { explainDifference } from "./explained.ts";
import { Prng } from "./prng.ts";
import { encodeWords } from "./requests.ts";
import type { Session } from "./target.ts";

export interface Comparison {
  /** Unexplained differences, each with what led to it. */
  readonly differences: readonly string[];
  /** How often each explanation was needed. */
  readonly explained: ReadonlyMap<string, number>;
  readonly compared: number;
}

/** How many requests before a difference are shown. */
const CONTEXT_REQUESTS = 12;

/** One run of requests, known by its seed. */
export interface Sequence {
  readonly seed: number;
  readonly requests: readonly (readonly string[])[];
}

/** Why a difference is none, or null when it is one. */
export type Explain = (words: readonly string[], theirs: Buffer, ours: Buffer) => string | null;

/** Runs sequences of made-up requests, one per seed, on both; keys are cleared before each. */
export async function compareSessions(
  theirs: Session,
  ours: Session,
  options: {
    readonly profile: Profile;
    readonly firstSeed: number;
    readonly seeds: number;
    readonly requestsPerSeed: number;
  },
): Promise<Comparison> {
  const sequences = Array.from({ length: options.seeds }, (_, at): Sequence => {
    const seed = options.firstSeed + at;
    const generator = new CommandGenerator(new Prng(seed), options.profile);
    const requests = Array.from({ length: options.requestsPerSeed }, () => generator.next());
    return { seed, requests };
  });
  return await compareSequences(theirs, ours, { sequences, explain: explainDifference });
}

/** Runs the sequences on both, each in one pipeline; keys are cleared before each. */
export async function compareSequences(
  theirs: Session,
  ours: Session,
  options: { readonly sequences: readonly Sequence[]; readonly explain: Explain },
): Promise<Comparison> {
  const differences: string[] = [];
  const explained = new Map<string, number>();
  let compared = 0;
  for (const { seed, requests: sequence } of options.sequences) {
    await theirs.clear();
    await ours.clear();
    const requests = sequence.map(encodeWords);
    const [expected, actual] = await Promise.all([
      theirs.exchange(requests),
      ours.exchange(requests),
    ]);
    for (const [index, words] of sequence.entries()) {
      compared++;
      const theirReply = expected[index];
      const ourReply = actual[index];
      if (theirReply.equals(ourReply)) continue;
      const reason = options.explain(words, theirReply, ourReply);
      if (reason !== null) {
        explained.set(reason, (explained.get(reason) ?? 0) + 1);
        continue;
      }
      differences.push(describe({ seed, sequence, index, theirReply, ourReply }));
      // What follows in this sequence differs because of this.
      break;
    }
  }
  return { differences, explained, compared };
}

function describe(found: {
  readonly seed: number;
  readonly sequence: readonly (readonly string[])[];
  readonly index: number;
  readonly theirReply: Buffer;
  readonly ourReply: Buffer;
}): string {
  const { seed, sequence, index } = found;
  const context = sequence
    .slice(Math.max(0, index - CONTEXT_REQUESTS), index + 1)
    .map((words) => `  ${words.map((word) => JSON.stringify(word)).join(" ")}`);
  return [
    `seed ${seed}, request ${index}:`,
    ...context,
    `  redis:   ${escapeBytes(found.theirReply).slice(0, 500)}`,
    `  ferrite: ${escapeBytes(found.ourReply).slice(0, 500)}`,
  ].join("\n");
}
