/** The small pure parts against twins too simple to be wrong. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeConfiguration,
  encodeConfiguration,
  enterJoint,
  leaveJoint,
  validateConfiguration,
} from "../src/configuration.ts";
import { Inflights } from "../src/inflights.ts";
import { RaftLog } from "../src/log.ts";
import { isQuorum, majorityIndex, quorumIndex, voteOutcome } from "../src/quorum.ts";
import { RaftError, type Configuration } from "../src/index.ts";
import { entryOf } from "./harness/options.ts";

const NAMES = ["a", "b", "c", "d", "e", "f", "g"];
const someNodes = fc.subarray(NAMES);
const reached = fc.dictionary(fc.constantFrom(...NAMES), fc.nat(6));

function joint(voters: readonly string[], votersOutgoing: readonly string[]): Configuration {
  return { voters, votersOutgoing, learners: [], learnersNext: [] };
}

/** Counts, for every candidate value, who has reached it: the definition, without a shortcut. */
function dumbMajorityIndex(voters: readonly string[], values: Record<string, number>): number {
  let best = 0;
  for (let candidate = 0; candidate <= 6; candidate += 1) {
    const count = voters.filter((voter) => (values[voter] ?? 0) >= candidate).length;
    if (count * 2 > voters.length) {
      best = candidate;
    }
  }
  return best;
}

describe("quorum arithmetic", () => {
  test("the majority index is what more than half have reached", () => {
    fc.assert(
      fc.property(someNodes, reached, (voters, values) => {
        const index = majorityIndex(voters, (voter) => values[voter] ?? 0);
        expect(index).toBe(dumbMajorityIndex(voters, values));
      }),
    );
  });

  test("a joint configuration needs what both halves have reached", () => {
    fc.assert(
      fc.property(someNodes, someNodes, reached, (voters, outgoing, values) => {
        const halves = [voters, ...(outgoing.length > 0 ? [outgoing] : [])];
        const expected = Math.min(...halves.map((half) => dumbMajorityIndex(half, values)));
        expect(quorumIndex(joint(voters, outgoing), (voter) => values[voter] ?? 0)).toBe(expected);
      }),
    );
  });

  test("an election is won, lost or open exactly when no further answer can change that", () => {
    const answers = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.boolean());
    const few = fc.subarray(["a", "b", "c", "d"], { minLength: 1 });
    fc.assert(
      fc.property(few, fc.oneof(few, fc.constant([])), answers, (voters, outgoing, given) => {
        const configuration = joint(voters, outgoing);
        const wins = (votes: Record<string, boolean>): boolean =>
          isQuorum(configuration, (voter) => votes[voter] ?? false);
        // Every way in which those who are silent could still answer.
        const silent = ["a", "b", "c", "d"].filter((id) => given[id] === undefined);
        const futures = Array.from({ length: 2 ** silent.length }, (_, bits) => ({
          ...given,
          ...Object.fromEntries(silent.map((id, place) => [id, ((bits >> place) & 1) === 1])),
        }));
        const outcome = voteOutcome(configuration, new Map(Object.entries(given)));
        const expected = futures.every(wins) ? "won" : futures.some(wins) ? "pending" : "lost";
        expect(outcome).toBe(expected);
      }),
    );
  });

  test("any two quorums of one configuration share a voter", () => {
    fc.assert(
      fc.property(someNodes, someNodes, someNodes, someNodes, (voters, outgoing, one, other) => {
        const configuration = joint(voters, outgoing);
        const bothDecide =
          isQuorum(configuration, (voter) => one.includes(voter)) &&
          isQuorum(configuration, (voter) => other.includes(voter));
        const shared = voters.some((voter) => one.includes(voter) && other.includes(voter));
        expect(!bothDecide || shared).toBe(true);
      }),
    );
  });

  test("a joint configuration's quorums meet those of both simple ones", () => {
    const some = fc.subarray(NAMES, { minLength: 1 });
    fc.assert(
      fc.property(some, some, some, some, (before, after, one, other) => {
        const during = isQuorum(joint(after, before), (voter) => one.includes(voter));
        const simple = [before, after].some((voters) =>
          isQuorum(joint(voters, []), (voter) => other.includes(voter)),
        );
        const meet = one.some((voter) => other.includes(voter));
        expect(!during || !simple || meet).toBe(true);
      }),
    );
  });
});

describe("configuration bytes", () => {
  const target = fc
    .tuple(fc.subarray(NAMES, { minLength: 1 }), fc.subarray(NAMES))
    .map(([voters, rest]): Configuration => ({
      voters,
      votersOutgoing: [],
      learners: rest.filter((id) => !voters.includes(id)),
      learnersNext: [],
    }));

  test("decode takes back what encode wrote, also joint", () => {
    fc.assert(
      fc.property(target, target, (before, after) => {
        const during = enterJoint(before, after);
        validateConfiguration(during);
        expect(decodeConfiguration(encodeConfiguration(during))).toEqual(during);
        const ended = leaveJoint(during);
        expect(ended.voters).toEqual(after.voters);
        expect(ended.learners.toSorted()).toEqual([...after.learners].toSorted());
      }),
    );
  });

  test("arbitrary bytes are decoded or refused with a code, never anything else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        let code: unknown = "configurationMalformed";
        try {
          decodeConfiguration(bytes);
        } catch (error) {
          code = error instanceof RaftError ? error.code : error;
        }
        expect(code).toBe("configurationMalformed");
      }),
    );
  });
});

describe("the log in memory", () => {
  const terms = fc
    .array(fc.integer({ min: 1, max: 5 }), { maxLength: 30 })
    .map((list) => list.toSorted((one, other) => one - other));

  function logOf(list: readonly number[], compacted: number): RaftLog {
    const log = new RaftLog({ index: 0, term: 0 });
    list.forEach((term, place) => log.append(entryOf(place + 1, term)));
    log.compactTo(Math.min(compacted, list.length));
    return log;
  }

  test("the back-off point is the last position with a small enough term, as a plain search finds it", () => {
    fc.assert(
      fc.property(terms, fc.nat(30), fc.nat(35), fc.nat(6), (list, compacted, index, term) => {
        const log = logOf(list, compacted);
        let expected: number | null = null;
        for (let at = log.snapshotIndex; at <= Math.min(index, log.lastIndex); at += 1) {
          if ((log.termAt(at) ?? Infinity) <= term) {
            expected = at;
          }
        }
        expect(log.lastIndexOfTermAtMost(index, term)).toBe(expected);
      }),
    );
  });

  test("appending, cutting and compacting keep indices, terms and byte counts right", () => {
    const action = fc.record({
      kind: fc.constantFrom("append", "cut", "compact"),
      amount: fc.nat(6),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const log = new RaftLog({ index: 3, term: 1 });
        let twin: number[] = [];
        let start = 3;
        for (const { kind, amount } of actions) {
          if (kind === "append") {
            for (let count = 0; count < amount; count += 1) {
              log.append(entryOf(start + twin.length + 1, 1, "x".repeat(count)));
              twin.push(count);
            }
          } else if (kind === "cut" && amount > 0 && twin.length >= amount) {
            log.cutFrom(start + twin.length - amount + 1);
            twin = twin.slice(0, twin.length - amount);
          } else if (kind === "compact") {
            const count = Math.min(amount, twin.length);
            log.compactTo(start + count);
            twin = twin.slice(count);
            start += count;
          }
          expect(log.firstIndex).toBe(start + 1);
          expect(log.lastIndex).toBe(start + twin.length);
          expect(log.dataBytes).toBe(twin.reduce((sum, size) => sum + size, 0));
          expect(log.termAt(start)).toBe(1);
          expect(log.termAt(start - 1)).toBeNull();
        }
      }),
    );
  });

  test("a slice by bytes is the longest that fits, and at least one entry", () => {
    const sizes = fc.array(fc.nat(20), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(sizes, fc.nat(60), fc.nat(19), (list, bytesMax, skip) => {
        const log = new RaftLog({ index: 0, term: 0 });
        list.forEach((size, place) => log.append(entryOf(place + 1, 1, "x".repeat(size))));
        const from = Math.min(skip, list.length - 1) + 1;
        const taken = log.sliceBytes(from, bytesMax).map((entry) => entry.data.length);
        const rest = list.slice(from - 1);
        const sum = (count: number): number =>
          rest.slice(0, count).reduce((all, size) => all + size, 0);
        expect(taken).toEqual(rest.slice(0, taken.length));
        expect(taken.length === 1 || sum(taken.length) <= bytesMax).toBe(true);
        expect(taken.length === rest.length || sum(taken.length + 1) > bytesMax).toBe(true);
      }),
    );
  });
});

describe("the window of appends on their way", () => {
  test("it behaves like a plain list", () => {
    const action = fc.record({ add: fc.boolean(), bytes: fc.nat(50), free: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const window = new Inflights({ messagesMax: 3, bytesMax: 100 });
        let twin: { readonly index: number; readonly bytes: number }[] = [];
        let index = 0;
        for (const { add, bytes, free } of actions) {
          if (add && !window.isFull()) {
            index += 1;
            window.add(index, bytes);
            twin.push({ index, bytes });
          } else {
            window.freeTo(index - free);
            twin = twin.filter((one) => one.index > index - free);
          }
          const twinBytes = twin.reduce((sum, one) => sum + one.bytes, 0);
          expect([window.count, window.bytes]).toEqual([twin.length, twinBytes]);
          expect(window.isFull()).toBe(twin.length >= 3 || twinBytes >= 100);
        }
      }),
    );
  });

  test("adding to a full window stops the node", () => {
    const window = new Inflights({ messagesMax: 1, bytesMax: 100 });
    window.add(1, 1);
    expect(() => window.add(2, 1)).toThrow(/inflightsFull/);
  });
});
