/**
 * Bytes that no node would send, over a real TLS link and with a certificate that every node accepts, into the nodes of a
 * real cluster. A node ends the link that broke the rules and nothing else: it lives, its cluster takes writes, and what
 * was written is there.
 *
 * Well-formed messages with lies in them are no matter of this test: Raft trusts members to crash, not to lie, and a
 * member that contradicts what was agreed stops the node that notices, on purpose. So messages here are of term 0, which
 * every node has left behind.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anyPayload } from "../../packages/node/test/peers/arbitrary-payload.ts";
import { BatchBuilder, BatchKind, uuidBytes } from "../../packages/node/src/replica/batch.ts";
import { FEATURE_LEVEL_MAX } from "../../packages/node/src/members/feature-level.ts";
import { CutFrame, FRAGMENT_HEAD_BYTES } from "../../packages/node/src/peers/fragment.ts";
import { FRAGMENT_BYTES, FrameKind } from "../../packages/node/src/peers/frame.ts";
import { FrameWriter } from "../../packages/node/src/peers/frame-writer.ts";
import { clusterTokenHash } from "../../packages/node/src/peers/genesis.ts";
import { writeHello } from "../../packages/node/src/peers/hello.ts";
import type { Hello } from "../../packages/node/src/peers/hello.ts";
import type { Genesis } from "../../packages/node/src/peers/membership.ts";
import { payloadBodyBytes, writePayload } from "../../packages/node/src/peers/payload-codec.ts";
import type { PeerPayload } from "../../packages/node/src/replica/transport.ts";
import type { Prng } from "../compat/prng.ts";
import { report, TestCluster, until } from "../e2e/harness/cluster.ts";
import { RawPeer } from "../e2e/peers/raw-peer.ts";
import { announceSeed, fuzzSeed, roundRandom, rounds } from "./fuzz-seed.ts";
import { mutateStream, piecesOf, randomBytes } from "./mutate.ts";

const ROUNDS = rounds(120);
/** The node whose place is taken. */
const OUTSIDER = 2;
const HEADER_BYTES = 20;
/** Later than those of its first start, earlier than those of its second (INCARNATIONS_PER_START). */
const OWN_INCARNATION = 2 ** 30 + 1000;
const NO_CONFIGURATION = { voters: [], votersOutgoing: [], learners: [], learnersNext: [] };
const COUNTER = "counted";
const MEBIBYTE = 1024 ** 2;
const RSS_GROWTH_BYTES_MAX = 200 * MEBIBYTE;

describe("A node that is sent broken frames by a holder of a right certificate", () => {
  let cluster: TestCluster;
  let genesis: Genesis;
  let ownId: string;
  let written = 0;
  let startRssBytes: number[];
  /** Links that were ended because of a frame. */
  let refused = 0;
  const payloads = fc.sample(anyPayload, { numRuns: 200, seed: fuzzSeed | 0 });

  beforeAll(async () => {
    announceSeed("peer link");
    cluster = await TestCluster.start();
    await write();
    const { dataDir } = cluster.nodes[OUTSIDER];
    genesis = JSON.parse(readFileSync(join(dataDir, "genesis.json"), "utf8")) as Genesis;
    ownId = genesis.members.find(({ name }) => name === cluster.nodes[OUTSIDER].name)!.id;
    await cluster.end(OUTSIDER, "SIGKILL");
    await cluster.leader();
    startRssBytes = [0, 1].map(rssBytes);
  });
  afterAll(async () => {
    report(`memory grew by ${[0, 1].map((at) => growthMebibytes(at)).join(" and ")} MiB`);
    await cluster.close();
  });

  function rssBytes(index: number): number {
    const status = readFileSync(`/proc/${cluster.pid(index)}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
  }

  function growthMebibytes(index: number): number {
    return Math.round((rssBytes(index) - startRssBytes[index]) / MEBIBYTE);
  }

  async function write(): Promise<void> {
    written++;
    const client = await cluster.client(written % 2);
    expect(await client.call("SET", `written:${written}`, String(written))).toBe("OK");
    client.close();
  }

  async function livesOn(): Promise<void> {
    for (const index of [0, 1]) {
      expect(cluster.isRunning(index), cluster.log(index).slice(-2000)).toBe(true);
      expect(await cluster.call(index, "PING")).toBe("PONG");
      expect(rssBytes(index) - startRssBytes[index]).toBeLessThan(RSS_GROWTH_BYTES_MAX);
    }
    await write();
    const keys = Array.from({ length: written }, (_, at) => `written:${at + 1}`);
    const client = await cluster.client(written % 2);
    expect(await client.call("FERRITE.CONSISTENCY", "linearizable")).toBe("OK");
    expect(await client.call("MGET", ...keys)).toEqual(keys.map((_, at) => String(at + 1)));
    client.close();
  }

  function connect(index: number): Promise<RawPeer> {
    const flags = cluster.flags(OUTSIDER);
    const setting = (name: string): string =>
      flags.find((flag) => flag.startsWith(`${name}=`))!.slice(name.length + 1);
    const files = {
      certFile: setting("peer-tls-cert-file"),
      keyFile: setting("peer-tls-key-file"),
      caFile: setting("peer-tls-ca-cert-file"),
    };
    const { name, peerPort } = cluster.nodes[index];
    return RawPeer.connect(`127.0.0.1:${peerPort}`, files, name);
  }

  function hello(): Hello {
    const { clusterId, members } = genesis;
    const own = members.find(({ id }) => id === ownId)!;
    return {
      groupId: 0,
      nodeId: ownId,
      name: own.name,
      tokenHash: clusterTokenHash(""),
      peerAddress: own.peerAddress,
      clientAddress: own.clientAddress,
      expected: members.map(({ name }) => name).toSorted(),
      promise: null,
      genesis: { clusterId, members },
      active: true,
      certificate: null,
      successor: false,
      featureLevel: FEATURE_LEVEL_MAX,
      version: "0.1.0",
      tlsAddress: null,
      lendsSnapshots: true,
      members: null,
    };
  }

  /** A link on which frames are taken. */
  async function admitted(index: number): Promise<RawPeer> {
    const peer = await connect(index);
    peer.sayHello(hello());
    await until("the hello is answered", () => peer.hellos.length > 0 || peer.refusals.length > 0);
    expect(peer.refusals).toEqual([]);
    return peer;
  }

  async function sendAll(peer: RawPeer, pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) peer.write(piece);
    await new Promise<void>((resolve) => peer.socket.end(resolve));
    await peer.closed;
    refused += peer.refusals.length;
  }

  test("before the hello, it ends the link and lives on", async () => {
    const writer = new FrameWriter();
    writeHello(writer, hello(), 1);
    const whole = Buffer.concat(writer.take());
    for (let round = 1; round <= ROUNDS; round++) {
      const random = roundRandom(round);
      const bytes = random.oneIn(4)
        ? randomBytes(1 + random.below(3000), random)
        : mutateStream(whole, random, ["\\u0000", '"', "null", "[", "{", "1e999", "\x00", "true"]);
      await sendAll(await connect(round % 2), piecesOf(bytes, random));
      if (round % 20 === 0) await livesOn();
    }
    await livesOn();
    expect(refused).toBeGreaterThan(ROUNDS / 4);
  });

  test("after the hello, it ends the link and lives on", async () => {
    refused = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const random = roundRandom(1000 + round);
      const frames = Array.from({ length: 1 + random.below(8) }, () =>
        damagedFrame(random.pick(payloads), random),
      );
      const bytes = random.oneIn(5) ? randomBytes(2000, random) : Buffer.concat(frames);
      await sendAll(await admitted(round % 2), piecesOf(bytes, random));
      if (round % 20 === 0) await livesOn();
    }
    await livesOn();
    // Both happen: frames that end the link, and frames that are taken.
    expect(refused).toBeGreaterThan(ROUNDS / 4);
    expect(refused).toBeLessThan(ROUNDS);
  });

  test("in pieces that do not fit together, it ends the link and lives on", async () => {
    refused = 0;
    const pieceRounds = Math.ceil(ROUNDS / 4);
    for (let round = 1; round <= pieceRounds; round++) {
      const random = roundRandom(3000 + round);
      const pieces = damagedPieces(round % 5, random);
      await sendAll(await admitted(round % 2), piecesOf(Buffer.concat(pieces), random));
      if (round % 20 === 0) await livesOn();
    }
    await livesOn();
    expect(refused).toBeGreaterThan(pieceRounds / 4);
    expect(refused).toBeLessThan(pieceRounds);
  });

  test("batches with changed bytes harm nobody, and whole ones behind them are applied", async () => {
    let counted = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const random = roundRandom(2000 + round);
      const incarnation = OWN_INCARNATION + round;
      const office = await officeOf(await cluster.leader());
      const peer = await admitted(office.leader);
      peer.send({ kind: "forward", batch: damagedBatch(sealedBatch(incarnation, 1), random) });
      // The damaged one may have been taken for the first.
      peer.send({ kind: "forward", batch: sealedBatch(incarnation, 1) });
      peer.send({ kind: "forward", batch: sealedBatch(incarnation, 2) });
      await sendAll(peer, []);
      if (round % 20 === 0) await livesOn();
      // Nobody but a leader takes batches, and those that it has may be lost with its office.
      if ((await officeOf(office.leader)).term === office.term) counted++;
    }
    await livesOn();
    expect(counted).toBeGreaterThan(ROUNDS / 2);
    const leader = await cluster.leader();
    expect(Number(await cluster.call(leader, "GET", COUNTER))).toBeGreaterThanOrEqual(counted);
    // A node that starts again reads it all again, and the owner of the place finds it free.
    await cluster.end(leader, "SIGKILL");
    cluster.spawn(leader);
    cluster.spawn(OUTSIDER);
    await Promise.all([cluster.ready(leader), cluster.ready(OUTSIDER)]);
    await livesOn();
    expect(await cluster.call(OUTSIDER, "SET", "back", "1")).toBe("OK");
  });

  async function officeOf(node: number): Promise<{ leader: number; term: unknown }> {
    return { leader: node, term: (await cluster.status(node)).get("term") };
  }

  test("canary: a node that has died is noticed", async () => {
    await cluster.end(0, "SIGKILL");
    await expect(livesOn()).rejects.toThrow();
    cluster.spawn(0);
    await cluster.ready(0);
    await livesOn();
  });

  /** A frame of term 0 whose bytes behind the term are changed, or whose header is. */
  function damagedFrame(payload: PeerPayload, random: Prng): Buffer {
    const frame = wholeFrame(payload);
    if (random.oneIn(4)) return frame;
    const kept = random.oneIn(2) ? 0 : Math.min(frame.length, HEADER_BYTES + 8);
    const head = Buffer.from(frame.subarray(0, HEADER_BYTES + 8));
    if (kept === 0) {
      // Length, kind, group, time; never the term behind them.
      head[random.below(HEADER_BYTES)] ^= 1 << random.below(8);
      return Buffer.concat([head, frame.subarray(HEADER_BYTES + 8)]);
    }
    const body = mutateStream(Buffer.from(frame.subarray(kept)), random);
    head.writeUInt32LE(head.length + body.length - 4, 0);
    return Buffer.concat([head, body]);
  }

  /** The pieces of a snapshot chunk of term 0, sometimes as they should be, with whole frames between them. */
  function damagedPieces(damage: number, random: Prng): Buffer[] {
    const meta = { index: 1, term: 0, sizeBytes: 2 ** 30, configuration: NO_CONFIGURATION };
    const data = Buffer.alloc(FRAGMENT_BYTES * 2 + random.below(1000), 7);
    const ends = { from: ownId, to: ownId };
    const place = { offsetBytes: 0, lengthBytes: data.length, done: false };
    const payload: PeerPayload = {
      kind: "raft",
      message: { kind: "snapshotChunk", ...ends, term: 0, meta, ...place, data },
    };
    const writer = new FrameWriter();
    writePayload(writer, payload, 1, payloadBodyBytes(payload));
    const cut = new CutFrame(
      [Buffer.concat(writer.take())],
      HEADER_BYTES + payloadBodyBytes(payload),
    );
    const pieces: Buffer[] = [];
    while (cut.remainingBytes > 0) {
      pieces.push(Buffer.concat(cut.next(1)));
      if (random.oneIn(3)) pieces.push(wholeFrame(random.pick(payloads)));
    }
    const at = random.below(pieces.length);
    switch (damage) {
      case 0:
        return pieces.toSpliced(at, 1);
      case 1:
        return pieces.toSpliced(at, 0, pieces[random.below(pieces.length)]);
      case 2:
        pieces[at][random.below(FRAGMENT_HEAD_BYTES)] ^= 1 << random.below(8);
        return pieces;
      case 3:
        return pieces.slice(0, 1 + at).map((piece) => {
          return piece.readUInt8(4) === FrameKind.Fragment ? piece.subarray(0, -1) : piece;
        });
      default:
        return pieces;
    }
  }

  /** Of term 0, if it is one of Raft's. */
  function wholeFrame(payload: PeerPayload): Buffer {
    const stale: PeerPayload =
      payload.kind === "raft"
        ? { kind: "raft", message: { ...payload.message, term: 0 } }
        : payload;
    const writer = new FrameWriter();
    writePayload(writer, stale, 1, payloadBodyBytes(stale));
    return Buffer.concat(writer.take());
  }

  /** Changed anywhere but in the incarnation: a lie about that is well-formed. */
  function damagedBatch(batch: Buffer, random: Prng): Buffer {
    const damaged = mutateStream(batch, random, ["\xff\xff\xff\xff", "*", "$", "\r\n", "-1"]);
    if (damaged.length >= 32) batch.copy(damaged, 24, 24, 32);
    return damaged;
  }

  function sealedBatch(incarnation: number, sequence: number): Buffer {
    const builder = new BatchBuilder(BatchKind.Commands);
    for (const text of [
      "*3\r\n$3\r\nSET\r\n$4\r\nfuzz\r\n$1\r\n1\r\n",
      `*2\r\n$4\r\nINCR\r\n$${COUNTER.length}\r\n${COUNTER}\r\n`,
    ]) {
      const bytes = Buffer.from(text);
      builder.add(bytes, 0, bytes.length, 0);
    }
    return builder.seal({ nodeBytes: uuidBytes(ownId), incarnation, sequence, aclRevision: 0 });
  }
});
