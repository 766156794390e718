/** O07: what a node that joins may do before a configuration names it. */
import { RaftCore, type Message, type RaftOptions } from "@ferrite/raft";
import { describe, expect, it } from "vitest";
import type { Genesis } from "../../src/peers/membership.ts";
import { initialConfiguration } from "../../src/replica/options.ts";

const FOUNDERS = ["a", "b", "c"];
const GENESIS: Genesis = {
  clusterId: "55a6af33-1e33-4510-8198-964bc1232fa4",
  members: FOUNDERS.map((id) => ({ id, name: id, peerAddress: "", clientAddress: "" })),
};

function coreOf(id: string): RaftCore {
  const configuration = initialConfiguration(GENESIS);
  const options: RaftOptions = {
    id,
    seed: 1,
    electionTimeoutTicks: 10,
    heartbeatIntervalTicks: 2,
    inflightMessagesMax: 8,
    inflightBytesMax: 1 << 20,
    appendBytesMax: 1 << 20,
    uncommittedBytesMax: 1 << 20,
    snapshotChunkBytes: 1 << 20,
    restored: {
      hardState: { term: 0, vote: null, commit: 0 },
      snapshot: { index: 0, term: 0, configuration, sizeBytes: 0 },
      entries: [],
    },
  };
  return new RaftCore(options);
}

/** Carries out what the core wants, with a disk that is done at once. */
function sent(core: RaftCore): Message[] {
  const messages: Message[] = [];
  while (core.hasReady()) {
    const ready = core.ready();
    const { id } = core.status();
    const last = ready.entries.at(-1);
    if (last !== undefined) core.persisted(last);
    for (const message of [...ready.messages, ...ready.messagesAfterPersist]) {
      if (message.to === id) core.step(message);
      else messages.push(message);
    }
  }
  return messages;
}

/** Lets time pass and gives what the node said meanwhile. */
function afterTicks(core: RaftCore, ticks: number): Message[] {
  const messages: Message[] = [];
  for (let tick = 0; tick < ticks; tick++) {
    core.tick();
    messages.push(...sent(core));
  }
  return messages;
}

describe("O07: a node that joins, with the genesis of its cluster and a disk that this does not name", () => {
  it("is a learner that never campaigns, however long it hears nobody", () => {
    const joiner = coreOf("d");
    expect(afterTicks(joiner, 1000)).toEqual([]);
    expect([joiner.role(), joiner.term()]).toEqual(["learner", 0]);
  });

  it("on a new disk of a founder's name counts no more than under any other name", () => {
    const renewed = coreOf("c2");
    expect(afterTicks(renewed, 1000)).toEqual([]);
    expect(renewed.role()).toBe("learner");
  });

  it("can not make a leader with its vote: who asks it counts the voters it knows only", () => {
    const founder = coreOf("a");
    const joiner = coreOf("d");
    // The founder campaigns: first it asks the others whether it should.
    const asked = afterTicks(founder, 25).find(({ kind }) => kind === "preVoteRequest");
    expect(asked).toBeDefined();
    const answers: Message[] = [];
    joiner.step({ ...asked, to: "d" } as Message);
    for (const answer of sent(joiner)) answers.push(answer);
    expect(answers).toMatchObject([{ kind: "preVoteResponse", granted: true, from: "d" }]);
    for (const answer of answers) founder.step(answer);
    expect(founder.role()).toBe("preCandidate");
    const { term } = asked as { term: number };
    founder.step({ kind: "preVoteResponse", from: "b", to: "a", term, granted: true });
    expect(founder.role()).toBe("candidate");
    const request = sent(founder).find(({ kind }) => kind === "voteRequest");
    joiner.step({ ...request, to: "d" } as Message);
    for (const answer of sent(joiner)) founder.step(answer);
    expect(founder.role()).toBe("candidate");
    founder.step({ kind: "voteResponse", from: "b", to: "a", term, granted: true });
    expect(founder.role()).toBe("leader");
  });
});
