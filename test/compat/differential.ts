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
  const differences: string[] = [];
  const explained = new Map<string, number>();
  let compared = 0;
  for (let seed = options.firstSeed; seed < options.firstSeed + options.seeds; seed++) {
    const generator = new CommandGenerator(new Prng(seed), options.profile);
    const sequence = Array.from({ length: options.requestsPerSeed }, () => generator.next());
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
      const reason = explainDifference(words, theirReply, ourReply);
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
