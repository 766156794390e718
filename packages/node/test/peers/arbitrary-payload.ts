/** Any payload that can travel, for properties. */
import * as fc from "fast-check";
import type { Message } from "@ferrite/raft";
import type { PeerPayload } from "../../src/replica/transport.ts";

export const FROM = "0f8fad5b-d9cb-469f-a165-70867728950e";
export const TO = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

const count = fc.oneof(fc.nat(), fc.maxSafeNat());
const positive = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const index = fc.oneof(fc.nat(), fc.nat({ max: 2 ** 50 }));
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
/** Sometimes large enough to be referred to instead of copied. */
const data = fc.oneof(
  { weight: 9, arbitrary: bytes },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 8000, max: 9000 }).map((n) => Buffer.alloc(n, n & 0xff)),
  },
);
const ids = fc.array(fc.uuid(), { maxLength: 5 });
const anyConfiguration = fc.record({
  voters: ids,
  votersOutgoing: ids,
  learners: ids,
  learnersNext: ids,
});

const entries = fc.record({
  previousIndex: index,
  list: fc.array(
    fc.record({ term: count, kind: fc.constantFrom(0 as const, 1 as const, 2 as const), data }),
    {
      maxLength: 6,
    },
  ),
});

function message<T extends object>(
  body: fc.Arbitrary<T>,
): fc.Arbitrary<T & { term: number; from: string; to: string }> {
  return fc.tuple(body, count).map(([fields, term]) => ({ ...fields, term, from: FROM, to: TO }));
}

export const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  message(
    fc.record({
      kind: fc.constantFrom("voteRequest" as const, "preVoteRequest" as const),
      lastIndex: count,
      lastTerm: count,
      transfer: fc.boolean(),
    }),
  ),
  message(
    fc.record({
      kind: fc.constantFrom("voteResponse" as const, "preVoteResponse" as const),
      granted: fc.boolean(),
    }),
  ),
  message(
    fc
      .record({ kind: fc.constant("append" as const), entries, previousTerm: count, commit: count })
      .map(({ kind, entries: { previousIndex, list }, previousTerm, commit }) => ({
        kind,
        previousIndex,
        previousTerm,
        commit,
        entries: list.map((entry, i) => ({ index: previousIndex + 1 + i, ...entry })),
      })),
  ),
  message(
    fc
      .record({
        kind: fc.constant("appendResponse" as const),
        answer: fc.constantFrom(
          { success: true },
          { success: false },
          { success: false, lowersMatch: true as const },
        ),
        matchIndex: count,
        rejectedIndex: count,
        hintIndex: count,
        hintTerm: count,
      })
      .map(({ answer, ...rest }) => ({ ...rest, ...answer })),
  ),
  message(
    fc.record(
      {
        kind: fc.constant("heartbeat" as const),
        commit: count,
        readRound: count,
        lease: fc.record({ tick: positive, promiseTicks: count }),
      },
      { requiredKeys: ["kind", "commit", "readRound"] },
    ),
  ),
  message(
    fc.record(
      { kind: fc.constant("heartbeatResponse" as const), readRound: count, leaseTick: positive },
      { requiredKeys: ["kind", "readRound"] },
    ),
  ),
  message(
    fc
      .record({
        kind: fc.constant("snapshotChunk" as const),
        index: count,
        term: count,
        configuration: anyConfiguration,
        offsetBytes: index,
        beyondBytes: index,
        data,
        done: fc.boolean(),
      })
      .map(
        ({
          kind,
          index: metaIndex,
          term,
          configuration,
          offsetBytes,
          beyondBytes,
          data: part,
          done,
        }) => ({
          kind,
          meta: {
            index: metaIndex,
            term,
            configuration,
            sizeBytes: offsetBytes + part.length + beyondBytes,
          },
          offsetBytes,
          lengthBytes: part.length,
          done,
          data: part,
        }),
      ),
  ),
  message(
    fc.record({
      kind: fc.constant("snapshotResponse" as const),
      index: count,
      nextOffsetBytes: count,
      installed: fc.boolean(),
    }),
  ),
  message(fc.record({ kind: fc.constant("timeoutNow" as const) })),
  message(fc.record({ kind: fc.constant("readIndexRequest" as const), requestId: count })),
  message(
    fc.record({ kind: fc.constant("readIndexResponse" as const), requestId: count, index: count }),
  ),
);

/** About snapshots that followers lend. */
const anyLoan: fc.Arbitrary<PeerPayload> = fc.oneof(
  fc.record({
    kind: fc.constant("snapshotAsk" as const),
    requestId: count,
    to: fc.uuid(),
    minimumIndex: count,
    mayTake: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("snapshotOffer" as const),
    requestId: count,
    offer: fc.oneof(
      fc.record({ state: fc.constant("none" as const) }),
      fc.record({ state: fc.constant("beingTaken" as const), index: count }),
      fc.record({
        state: fc.constant("ready" as const),
        incarnation: count,
        meta: fc.record({
          index: count,
          term: count,
          sizeBytes: count,
          configuration: anyConfiguration,
        }),
      }),
    ),
  }),
  fc
    .record({
      term: count,
      node: fc.uuid(),
      incarnation: count,
      index: count,
      metaTerm: count,
      configuration: anyConfiguration,
      offsetBytes: index,
      lengthBytes: index,
      beyondBytes: index,
      done: fc.boolean(),
    })
    .map(({ term, node, incarnation, index: at, metaTerm, configuration, ...range }) => ({
      kind: "chunkNotice" as const,
      chunk: {
        kind: "snapshotChunk" as const,
        from: FROM,
        to: TO,
        term,
        source: { node, incarnation },
        meta: {
          index: at,
          term: metaTerm,
          configuration,
          sizeBytes: range.offsetBytes + range.lengthBytes + range.beyondBytes,
        },
        offsetBytes: range.offsetBytes,
        lengthBytes: range.lengthBytes,
        done: range.done,
        data: new Uint8Array(0),
      },
    })),
  fc.record({
    kind: fc.constant("chunkRead" as const),
    requestId: count,
    incarnation: count,
    index: count,
    offsetBytes: count,
    lengthBytes: count,
  }),
  fc.record({ kind: fc.constant("chunkBytes" as const), requestId: count, data }),
);

export const anyPayload: fc.Arbitrary<PeerPayload> = fc.oneof(
  { weight: 3, arbitrary: anyLoan },
  { weight: 6, arbitrary: anyMessage.map((value) => ({ kind: "raft" as const, message: value })) },
  { weight: 1, arbitrary: data.map((batch) => ({ kind: "forward" as const, batch })) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("forwardRefused" as const),
      incarnation: count,
      sequence: count,
      reason: fc.constantFrom(
        "notLeader" as const,
        "busy" as const,
        "noSpace" as const,
        "gap" as const,
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("leadershipAsk" as const),
      requestId: count,
      timeoutMs: count,
      wish: fc.oneof(
        fc.record({
          kind: fc.constant("transfer" as const),
          target: fc.option(fc.uuid()),
        }),
        fc.constantFrom({ kind: "stepDown" as const }, { kind: "cancel" as const }),
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("leadershipAnswer" as const),
      requestId: count,
      answer: fc.constantFrom(
        "accepted" as const,
        "notLeader" as const,
        "nobody" as const,
        "underWay" as const,
        "nothing" as const,
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("copiesQuery" as const),
      requestId: count,
      index: count,
      wanted: count,
      timeoutMs: count,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("copiesAnswer" as const), requestId: count, count }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("settleQuery" as const),
      requestId: count,
      index: count,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("settleAnswer" as const), requestId: count }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("appliedQuery" as const, "appliedAnswer" as const),
      index: count,
    }),
  },
);
