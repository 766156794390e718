/**
 * Snapshots on the wire: the head of a chunk, and what is said about one that a follower lends (numbers are f64 counts of
 * 8 bytes unless said otherwise):
 *
 *   chunk head      term | meta.index | meta.term | meta.sizeBytes | offset | lengthBytes | done u8 | configuration
 *   snapshot ask    requestId | minimumIndex | receiver's id (16) | may take one u8
 *   snapshot offer  requestId | state u8 | 0, none: nothing | 1, being taken: index
 *                   | 2, ready: incarnation | index | term | sizeBytes | configuration
 *   chunk notice    source's id (16) | its incarnation | chunk head
 *   chunk read      requestId | incarnation | index | offset | lengthBytes
 *   chunk bytes     requestId | data to the end of the frame
 *
 *   configuration   4 x count u16 | 16 bytes per id
 */
import type { Configuration, NodeId, SnapshotChunk, SnapshotMeta } from "@ferrite/raft";
import type { SnapshotLoan, SnapshotOffer } from "../replica/transport.ts";
import { PeerError } from "./errors.ts";
import { FrameKind, GROUP_ID, type LinkEnds } from "./frame.ts";
import { malformed } from "./frame-reader.ts";
import type { FrameReader } from "./frame-reader.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { NODE_ID_BYTES, checkNodeId } from "./node-id-bytes.ts";

/** Four lists of at most this many ids; far more members than a Raft group can work with. */
export const CONFIGURATION_IDS_MAX = 256;
const CONFIGURATION_FIXED_BYTES = 8;
const CHUNK_FIXED_BYTES = 49;
const SOURCE_BYTES: number = NODE_ID_BYTES + 8;
const OFFER_HEAD_BYTES = 9;
/** The place in the list is the byte on the wire: append only. */
const OFFER_STATES: readonly SnapshotOffer["state"][] = ["none", "beingTaken", "ready"];
const NO_DATA: Uint8Array = new Uint8Array(0);

// ---- Chunks -----------------------------------------------------------------------------------------------------

/** @throws PeerError notEncodable */
export function chunkHeadBytes(chunk: SnapshotChunk): number {
  return CHUNK_FIXED_BYTES + configurationBytes(chunk.meta.configuration);
}

/** Appends all of a chunk but its data. */
export function writeChunkHead(writer: FrameWriter, chunk: SnapshotChunk): void {
  writer.f64(chunk.term);
  writer.f64(chunk.meta.index);
  writer.f64(chunk.meta.term);
  writer.f64(chunk.meta.sizeBytes);
  writer.f64(chunk.offsetBytes);
  writer.f64(chunk.lengthBytes);
  writer.u8(chunk.done ? 1 : 0);
  writeConfiguration(writer, chunk.meta.configuration);
}

/** @throws PeerError frameMalformed */
export function readChunk(reader: FrameReader, ends: LinkEnds, term: number): SnapshotChunk {
  const head = readChunkHead(reader, ends, term);
  const data = reader.bytes(reader.remainingBytes);
  if (data.length !== head.lengthBytes) {
    throw malformed(`a part of ${data.length} bytes says that it has ${head.lengthBytes}`);
  }
  return { ...head, data };
}

function readChunkHead(reader: FrameReader, { from, to }: LinkEnds, term: number): SnapshotChunk {
  const index = reader.count();
  const metaTerm = reader.count();
  const sizeBytes = reader.count();
  const offsetBytes = reader.count();
  const lengthBytes = reader.count();
  const done = reader.boolean();
  const configuration = readConfiguration(reader);
  if (offsetBytes + lengthBytes > sizeBytes) {
    throw malformed(`${lengthBytes} bytes at ${offsetBytes} are beyond a snapshot of ${sizeBytes}`);
  }
  const meta = { index, term: metaTerm, configuration, sizeBytes };
  const place = { offsetBytes, lengthBytes, done };
  return { kind: "snapshotChunk", from, to, term, meta, ...place, data: NO_DATA };
}

// ---- What a follower lends --------------------------------------------------------------------------------------

/** @throws PeerError notEncodable */
export function loanBodyBytes(payload: SnapshotLoan): number {
  switch (payload.kind) {
    case "snapshotAsk":
      checkNodeId(payload.to);
      return 17 + NODE_ID_BYTES;
    case "snapshotOffer":
      return OFFER_HEAD_BYTES + offerBytes(payload.offer);
    case "chunkNotice":
      checkNodeId(payload.chunk.source.node);
      return SOURCE_BYTES + chunkHeadBytes(payload.chunk);
    case "chunkRead":
      return 40;
    case "chunkBytes":
      return 8 + payload.data.length;
    default:
      return unknownKind(payload);
  }
}

function offerBytes(offer: SnapshotOffer): number {
  if (offer.state === "ready") return 32 + configurationBytes(offer.meta.configuration);
  return offer.state === "beingTaken" ? 8 : 0;
}

function unknownKind(payload: never): never {
  throw new PeerError("notEncodable", `There is no frame for ${JSON.stringify(payload)}.`);
}

/** Appends the payload's frame. `bodyBytes` comes from `loanBodyBytes`. */
export function writeLoan(
  writer: FrameWriter,
  payload: SnapshotLoan,
  senderTimeMs: number,
  bodyBytes: number,
): void {
  const ownBytes = payload.kind === "chunkBytes" ? bodyBytes - payload.data.length : bodyBytes;
  writer.begin(KINDS[payload.kind], GROUP_ID, senderTimeMs, bodyBytes, ownBytes);
  switch (payload.kind) {
    case "snapshotAsk":
      writer.f64(payload.requestId);
      writer.f64(payload.minimumIndex);
      writer.nodeId(payload.to);
      writer.u8(payload.mayTake ? 1 : 0);
      return;
    case "snapshotOffer":
      writer.f64(payload.requestId);
      writeOffer(writer, payload.offer);
      return;
    case "chunkNotice":
      writer.nodeId(payload.chunk.source.node);
      writer.f64(payload.chunk.source.incarnation);
      writeChunkHead(writer, payload.chunk);
      return;
    case "chunkRead":
      writer.f64(payload.requestId);
      writer.f64(payload.incarnation);
      writer.f64(payload.index);
      writer.f64(payload.offsetBytes);
      writer.f64(payload.lengthBytes);
      return;
    case "chunkBytes":
      writer.f64(payload.requestId);
      writer.bytes(payload.data);
      return;
  }
}

const KINDS: Readonly<Record<SnapshotLoan["kind"], FrameKind>> = {
  snapshotAsk: FrameKind.SnapshotAsk,
  snapshotOffer: FrameKind.SnapshotOffer,
  chunkNotice: FrameKind.ChunkNotice,
  chunkRead: FrameKind.ChunkRead,
  chunkBytes: FrameKind.ChunkBytes,
};

/**
 * Reads the body of a frame of `kind`. Null when the kind is none of these.
 * @throws PeerError frameMalformed
 */
export function readLoan(kind: number, reader: FrameReader, ends: LinkEnds): SnapshotLoan | null {
  switch (kind as FrameKind) {
    case FrameKind.SnapshotAsk: {
      const [requestId, minimumIndex] = [reader.count(), reader.count()];
      const to = reader.nodeId();
      return { kind: "snapshotAsk", requestId, minimumIndex, to, mayTake: reader.boolean() };
    }
    case FrameKind.SnapshotOffer: {
      const requestId = reader.count();
      return { kind: "snapshotOffer", requestId, offer: readOffer(reader) };
    }
    case FrameKind.ChunkNotice: {
      const source = { node: reader.nodeId(), incarnation: reader.count() };
      const chunk = readChunkHead(reader, ends, reader.count());
      return { kind: "chunkNotice", chunk: { ...chunk, source } };
    }
    case FrameKind.ChunkRead:
      return {
        kind: "chunkRead",
        requestId: reader.count(),
        incarnation: reader.count(),
        index: reader.count(),
        offsetBytes: reader.count(),
        lengthBytes: reader.count(),
      };
    case FrameKind.ChunkBytes: {
      const requestId = reader.count();
      return { kind: "chunkBytes", requestId, data: reader.bytes(reader.remainingBytes) };
    }
    default:
      return null;
  }
}

function writeOffer(writer: FrameWriter, offer: SnapshotOffer): void {
  writer.u8(OFFER_STATES.indexOf(offer.state));
  if (offer.state === "beingTaken") writer.f64(offer.index);
  if (offer.state !== "ready") return;
  writer.f64(offer.incarnation);
  writeMeta(writer, offer.meta);
}

function readOffer(reader: FrameReader): SnapshotOffer {
  const place = reader.u8();
  const state = OFFER_STATES[place];
  switch (state) {
    case "none":
      return { state };
    case "beingTaken":
      return { state, index: reader.count() };
    case "ready":
      return { state, incarnation: reader.count(), meta: readMeta(reader) };
    default:
      throw malformed(`${place} is none of ${OFFER_STATES.join(", ")}`);
  }
}

function writeMeta(writer: FrameWriter, meta: SnapshotMeta): void {
  writer.f64(meta.index);
  writer.f64(meta.term);
  writer.f64(meta.sizeBytes);
  writeConfiguration(writer, meta.configuration);
}

function readMeta(reader: FrameReader): SnapshotMeta {
  const [index, term, sizeBytes] = [reader.count(), reader.count(), reader.count()];
  return { index, term, sizeBytes, configuration: readConfiguration(reader) };
}

// ---- Configurations ---------------------------------------------------------------------------------------------

function idListsOf(configuration: Configuration): readonly (readonly NodeId[])[] {
  return [
    configuration.voters,
    configuration.votersOutgoing,
    configuration.learners,
    configuration.learnersNext,
  ];
}

function configurationBytes(configuration: Configuration): number {
  let total = CONFIGURATION_FIXED_BYTES;
  for (const ids of idListsOf(configuration)) {
    if (ids.length > CONFIGURATION_IDS_MAX) {
      throw new PeerError(
        "notEncodable",
        `${ids.length} ids are more than ${CONFIGURATION_IDS_MAX}.`,
      );
    }
    ids.forEach(checkNodeId);
    total += ids.length * NODE_ID_BYTES;
  }
  return total;
}

function writeConfiguration(writer: FrameWriter, configuration: Configuration): void {
  const lists = idListsOf(configuration);
  for (const ids of lists) {
    writer.u16(ids.length);
  }
  for (const ids of lists) {
    for (const id of ids) {
      writer.nodeId(id);
    }
  }
}

function readConfiguration(reader: FrameReader): Configuration {
  const counts = [reader.u16(), reader.u16(), reader.u16(), reader.u16()];
  const [voters, votersOutgoing, learners, learnersNext] = counts.map((count) =>
    readNodeIds(reader, count),
  ) as [NodeId[], NodeId[], NodeId[], NodeId[]];
  return { voters, votersOutgoing, learners, learnersNext };
}

function readNodeIds(reader: FrameReader, count: number): NodeId[] {
  if (count > CONFIGURATION_IDS_MAX) {
    throw malformed(`${count} ids are more than ${CONFIGURATION_IDS_MAX}`);
  }
  const ids: NodeId[] = [];
  for (let i = 0; i < count; i++) {
    ids.push(reader.nodeId());
  }
  return ids;
}
