import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Message } from "@ferrite/raft";
import { createPeerCounters } from "../../src/peers/counters.ts";
import type { PeerCounters } from "../../src/peers/counters.ts";
import { FRAGMENT_BYTES, FrameKind, HEADER_BYTES } from "../../src/peers/frame.ts";
import { FrameDecoder } from "../../src/peers/frame-decoder.ts";
import { FrameReader } from "../../src/peers/frame-reader.ts";
import { DEFAULT_PEER_LIMITS } from "../../src/peers/limits.ts";
import type { PeerLimits } from "../../src/peers/limits.ts";
import { OutboundQueue } from "../../src/peers/outbound-queue.ts";
import { readPayload } from "../../src/peers/payload-codec.ts";
import { writeRefusal } from "../../src/peers/refusal.ts";
import type { PeerPayload } from "../../src/replica/transport.ts";
import { FROM, TO } from "./arbitrary-payload.ts";
import { FakeSocket } from "./fake-socket.ts";

/** A heartbeat with its header. */
const HEARTBEAT_BYTES = HEADER_BYTES + 40;
const ENDS = { from: FROM, to: TO };
const MEBIBYTE = 1024 * 1024;
const MATERIAL = randomBytes(4 * MEBIBYTE);

let socket: FakeSocket;
let counters: PeerCounters;
let queue: OutboundQueue;
let nowMs: number;

function make(limits: Partial<PeerLimits> = {}): void {
  socket = new FakeSocket();
  counters = createPeerCounters();
  nowMs = 1000;
  queue = new OutboundQueue(socket, {
    limits: { ...DEFAULT_PEER_LIMITS, ...limits },
    counters,
    clock: { nowMs: () => nowMs, after: () => () => undefined },
    logicalNowMs: () => nowMs,
  });
}
beforeEach(() => {
  make();
});

const heartbeat = (readRound: number): PeerPayload => ({
  kind: "raft",
  message: { kind: "heartbeat", ...ENDS, term: 1, commit: 0, readRound },
});
const answer = (requestId: number): PeerPayload => ({ kind: "copiesAnswer", requestId, count: 1 });
const forward = (bytes: number, from = 0): PeerPayload => ({
  kind: "forward",
  batch: MATERIAL.subarray(from, from + bytes),
});
const append = (previousIndex: number, sizes: readonly number[], term = 5): PeerPayload => ({
  kind: "raft",
  message: {
    kind: "append",
    ...ENDS,
    term,
    previousIndex,
    previousTerm: 1,
    entries: sizes.map((bytes, i) => ({
      index: previousIndex + 1 + i,
      term,
      kind: 0 as const,
      data: MATERIAL.subarray(0, bytes),
    })),
    commit: 0,
  },
});

/** What the other side makes of everything that was written so far. */
function received(chunkBytes = 64 * 1024): PeerPayload[] {
  const payloads: PeerPayload[] = [];
  const reader = new FrameReader();
  const decoder = new FrameDecoder(FRAGMENT_BYTES, {
    onFrame({ kind }, buffer, start, end) {
      if (kind === FrameKind.Refusal) return;
      reader.open(buffer, start, end);
      payloads.push(readPayload(kind, reader, ENDS));
    },
  });
  decoder.allowFragments(DEFAULT_PEER_LIMITS.frameBytesMax);
  const bytes = Buffer.concat(socket.written);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    decoder.push(bytes.subarray(at, at + chunkBytes));
  }
  return payloads;
}

/** A payload as a short text, equal for equal ones. */
function named(payload: PeerPayload): string {
  switch (payload.kind) {
    case "raft":
      return nameOfMessage(payload.message);
    case "forward":
      return `forward ${payload.batch.length} ${Buffer.from(payload.batch).readUInt32LE()}`;
    case "copiesAnswer":
      return `answer ${payload.requestId}`;
    default:
      return payload.kind;
  }
}

function nameOfMessage(message: Message): string {
  if (message.kind === "heartbeat") return `heartbeat ${message.readRound}`;
  if (message.kind !== "append") return message.kind;
  return `append ${message.previousIndex} ${message.entries.map(({ data }) => data.length).join()}`;
}

function sendAll(...payloads: readonly PeerPayload[]): boolean[] {
  return payloads.map((payload) => queue.send(payload));
}

describe("small frames", () => {
  it("go in one write per flush, in their order, whatever they are", () => {
    const payloads = [answer(1), heartbeat(1), append(7, [100]), heartbeat(2), forward(3000)];
    sendAll(...payloads);
    expect(socket.written).toEqual([]);
    queue.flush();
    expect(socket.batches).toBe(1);
    expect(socket.written).toHaveLength(1);
    expect(received().map(named)).toEqual(payloads.map(named));
    queue.flush();
    expect(socket.batches).toBe(1);
  });

  it("go beside what the socket still has, as long as that is little", () => {
    sendAll(forward(FRAGMENT_BYTES - HEADER_BYTES));
    queue.flush();
    sendAll(answer(1));
    queue.flush();
    expect(received()).toHaveLength(2);
    expect(counters.fragmentsSent).toBe(0);
  });
});

describe("a large frame", () => {
  it("is given to the socket in pieces, and the next ones as the socket empties", () => {
    sendAll(forward(4 * MEBIBYTE));
    queue.flush();
    const most = DEFAULT_PEER_LIMITS.socketBytesLow + FRAGMENT_BYTES;
    let writes = 0;
    do {
      expect(socket.writableLength).toBeLessThan(most);
      writes++;
    } while (socket.finishOne());
    expect(writes).toBeGreaterThan(16);
    expect(received().map(named)).toEqual([forward(4 * MEBIBYTE)].map(named));
    expect(counters.fragmentsSent).toBe(17);
    expect(counters.framesSent).toBe(1);
    expect(queue.queuedBytes).toBe(0);
    expect(counters.bytesSent).toBe(Buffer.concat(socket.written).length);
  });

  it("is overtaken by what is urgent, and by nothing else", () => {
    sendAll(forward(2 * MEBIBYTE), answer(1));
    queue.flush();
    sendAll(heartbeat(1), answer(2), heartbeat(2), append(3, [50]));
    queue.flush();
    socket.finishAll();
    expect(received().map(named)).toEqual(
      [
        heartbeat(1),
        heartbeat(2),
        forward(2 * MEBIBYTE),
        answer(1),
        answer(2),
        append(3, [50]),
      ].map(named),
    );
  });

  it.each<Message["kind"]>([
    "preVoteRequest",
    "voteRequest",
    "preVoteResponse",
    "voteResponse",
    "appendResponse",
    "heartbeat",
    "heartbeatResponse",
    "readIndexRequest",
    "readIndexResponse",
  ])("is overtaken by a %s", (kind) => {
    sendAll(forward(2 * MEBIBYTE));
    const message = {
      ...ENDS,
      kind,
      term: 1,
      lastIndex: 1,
      lastTerm: 1,
      transfer: false,
      granted: true,
      success: true,
      matchIndex: 1,
      rejectedIndex: 0,
      hintIndex: 0,
      hintTerm: 0,
      commit: 1,
      readRound: 1,
      requestId: 1,
      index: 1,
    } as unknown as Message;
    sendAll({ kind: "raft", message });
    queue.flush();
    socket.finishAll();
    expect(received().map(named)[0]).toBe(named({ kind: "raft", message }));
  });

  it("comes behind what was sent before it and not flushed", () => {
    sendAll(answer(1), forward(MEBIBYTE), answer(2));
    queue.flush();
    socket.finishAll();
    expect(received().map(named)).toEqual([answer(1), forward(MEBIBYTE), answer(2)].map(named));
  });

  it("is not taken a second time while it waits: what Raft repeats needs no other copy", () => {
    const once = [forward(MEBIBYTE), append(7, [MEBIBYTE]), append(8, [MEBIBYTE, 10])];
    expect(sendAll(...once)).toEqual([true, true, true]);
    const again = [once[0], append(7, [MEBIBYTE]), append(8, [MEBIBYTE])];
    expect(sendAll(...again)).toEqual([false, false, false]);
    expect(counters.droppedRepeated).toBe(3);
    // Another term, another place, or more of the log is no repetition.
    const others = [append(7, [MEBIBYTE], 6), append(9, [MEBIBYTE]), append(7, [MEBIBYTE, 1])];
    expect(sendAll(...others)).toEqual([true, true, true]);
    queue.flush();
    socket.finishAll();
    expect(received().map(named)).toEqual([...once, ...others].map(named));
    expect(sendAll(once[0])).toEqual([true]);
  });
});

describe("a part of a snapshot that was asked for twice", () => {
  it("is not taken a second time while it waits", () => {
    const part = (requestId: number): PeerPayload => ({
      kind: "chunkBytes",
      requestId,
      data: Buffer.alloc(MEBIBYTE),
    });
    expect(sendAll(forward(MEBIBYTE), part(1), part(1), part(2))).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect(counters.droppedRepeated).toBe(1);
  });
});

describe("much that is small", () => {
  it("waits in its order as a large frame does, and heartbeats pass it", () => {
    const sent = Array.from({ length: 40 }, (_, i) => forward(100_000, i));
    expect(sendAll(...sent)).not.toContain(false);
    queue.flush();
    const most = DEFAULT_PEER_LIMITS.socketBytesLow + FRAGMENT_BYTES;
    expect(socket.writableLength).toBeLessThan(most);
    sendAll(heartbeat(1));
    queue.flush();
    socket.finishAll();
    const names = received().map(named);
    const place = names.indexOf("heartbeat 1");
    expect(place * 100_000).toBeLessThan(most);
    expect(names.toSpliced(place, 1)).toEqual(sent.map(named));
    expect(counters.fragmentsSent).toBe(0);
  });
});

describe("the limit of the queue", () => {
  it("refuses what is ordered, and lets what is urgent through", () => {
    make({ queueBytesMax: 2 * MEBIBYTE });
    const results = sendAll(forward(MEBIBYTE), forward(900_000, 1), forward(900_000, 2));
    expect(results).toEqual([true, true, false]);
    expect(counters.droppedQueueFull).toBe(1);
    expect(sendAll(heartbeat(1), answer(1), forward(900_000, 3))).toEqual([true, true, false]);
    queue.flush();
    socket.finishAll();
    expect(sendAll(forward(900_000, 3))).toEqual([true]);
  });

  it("lets one frame beyond it through when nothing waits but what the socket has", () => {
    make({ queueBytesMax: MEBIBYTE });
    expect(sendAll(heartbeat(1), forward(2 * MEBIBYTE), forward(10, 1))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("holds for what is urgent, too, when the peer takes nothing at all", () => {
    make({ queueBytesMax: 1000 });
    let taken = 0;
    while (queue.send(heartbeat(taken))) {
      taken++;
      queue.flush();
    }
    expect(taken).toBe(Math.floor(1000 / HEARTBEAT_BYTES));
    expect(counters.droppedQueueFull).toBe(1);
  });

  it("counts everything that waits", () => {
    sendAll(forward(MEBIBYTE), answer(1), heartbeat(1));
    expect(queue.queuedBytes).toBe(HEADER_BYTES + MEBIBYTE + 36 + HEARTBEAT_BYTES);
    queue.flush();
    // Each piece in the socket has a head besides.
    expect(queue.queuedBytes).toBe(HEADER_BYTES + MEBIBYTE + 36 + HEARTBEAT_BYTES + 2 * 28);
  });

  it("refuses a frame that is longer than any may be", () => {
    make({ frameBytesMax: MEBIBYTE });
    expect(sendAll(forward(MEBIBYTE), forward(MEBIBYTE - HEADER_BYTES))).toEqual([false, true]);
    expect(counters.droppedTooLarge).toBe(1);
  });
});

describe("a queue that is held", () => {
  it("lets only what is urgent go, and the rest in its order when it is released", () => {
    queue.hold();
    sendAll(answer(1), heartbeat(1), forward(MEBIBYTE));
    queue.flush();
    expect(received().map(named)).toEqual(["heartbeat 1"]);
    sendAll(answer(2), heartbeat(2));
    queue.flush();
    socket.finishAll();
    expect(received().map(named)).toEqual(["heartbeat 1", "heartbeat 2"]);
    queue.release();
    socket.finishAll();
    const ordered = [answer(1), forward(MEBIBYTE), answer(2)];
    expect(received().map(named).slice(2)).toEqual(ordered.map(named));
  });

  it("is not stalled", () => {
    queue.hold();
    sendAll(answer(1));
    queue.flush();
    nowMs += 10 * DEFAULT_PEER_LIMITS.stallTimeoutMs;
    expect(queue.isStalled(nowMs)).toBe(false);
  });
});

describe("a peer that takes nothing", () => {
  it("is noticed after the stall time, each piece it takes being progress", () => {
    sendAll(forward(4 * MEBIBYTE));
    queue.flush();
    const { stallTimeoutMs } = DEFAULT_PEER_LIMITS;
    for (let round = 0; round < 3; round++) {
      nowMs += stallTimeoutMs - 1;
      expect(queue.isStalled(nowMs)).toBe(false);
      for (let part = 0; part < 3; part++) socket.finishOne();
    }
    nowMs += stallTimeoutMs;
    expect(queue.isStalled(nowMs)).toBe(true);
    socket.finishAll();
    expect(queue.isStalled(nowMs)).toBe(false);
  });
});

describe("the end of a link", () => {
  it("waits until everything is in the socket", () => {
    let ended = false;
    sendAll(answer(1), forward(2 * MEBIBYTE), answer(2));
    queue.drain(() => {
      ended = true;
    });
    expect(ended).toBe(false);
    socket.finishAll();
    expect(ended).toBe(true);
    expect(received().map(named)).toEqual([answer(1), forward(2 * MEBIBYTE), answer(2)].map(named));
  });

  it("is at once when nothing waits, and releases what was held", () => {
    queue.hold();
    sendAll(answer(1));
    let ended = 0;
    queue.drain(() => ended++);
    expect(ended).toBe(1);
    expect(received().map(named)).toEqual(["answer 1"]);
  });

  it("with a refusal leaves out the rest of a large frame", () => {
    sendAll(forward(4 * MEBIBYTE));
    queue.flush();
    queue.dropOrdered();
    queue.sendFrame((writer, timeMs) => {
      writeRefusal(writer, { reason: "badFrame", text: "why" }, timeMs);
    });
    let ended = 0;
    queue.drain(() => ended++);
    expect(ended).toBe(1);
    expect(Buffer.concat(socket.written).toString("latin1").endsWith("why")).toBe(true);
    expect(Buffer.concat(socket.written).length).toBeLessThan(MEBIBYTE);
  });

  it("lets nothing more be written once the socket is closed", () => {
    sendAll(forward(4 * MEBIBYTE));
    queue.flush();
    queue.close();
    const before = socket.written.length;
    sendAll(answer(1));
    queue.flush();
    socket.finishAll();
    expect(socket.written).toHaveLength(before);
  });
});

describe("what is received", () => {
  type Step =
    | { readonly do: "ordered" | "large"; readonly bytes: number }
    | { readonly do: "urgent" | "flush" | "hold" | "release" }
    | { readonly do: "finish"; readonly writes: number };
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("ordered" as const),
        bytes: fc.integer({ min: 4, max: FRAGMENT_BYTES }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("large" as const),
        bytes: fc.integer({ min: FRAGMENT_BYTES - 40, max: 3 * MEBIBYTE }),
      }),
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("urgent" as const) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("flush" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("hold" as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("release" as const) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("finish" as const),
        writes: fc.integer({ min: 1, max: 8 }),
      }),
    },
  );

  it("is what was sent: the ordered in their order, the urgent in theirs and never late", () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 5, maxLength: 50 }),
        fc.integer({ min: 1000, max: 300_000 }),
        (steps, chunkBytes) => {
          make();
          const ordered: PeerPayload[] = [];
          const urgent: PeerPayload[] = [];
          let urgentBytes = 0;
          for (const [at, each] of steps.entries()) {
            switch (each.do) {
              case "ordered":
              case "large": {
                const payload = forward(each.bytes, at);
                if (queue.send(payload)) ordered.push(payload);
                break;
              }
              case "urgent":
                urgent.push(heartbeat(at));
                urgentBytes += HEARTBEAT_BYTES;
                expect(queue.send(heartbeat(at))).toBe(true);
                break;
              case "finish":
                for (let i = 0; i < each.writes; i++) socket.finishOne();
                break;
              default:
                queue[each.do]();
            }
            const { socketBytesLow } = DEFAULT_PEER_LIMITS;
            expect(socket.writableLength).toBeLessThanOrEqual(
              socketBytesLow + FRAGMENT_BYTES + urgentBytes,
            );
          }
          queue.release();
          socket.finishAll();
          const names = received(chunkBytes).map(named);
          const isUrgent = (name: string): boolean => name.startsWith("heartbeat");
          expect(names.filter((name) => !isUrgent(name))).toEqual(ordered.map(named));
          expect(names.filter(isUrgent)).toEqual(urgent.map(named));
          expect(queue.queuedBytes).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
