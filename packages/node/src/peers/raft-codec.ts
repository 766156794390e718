/**
 * Raft messages as frame bodies. Every body begins with the sender's term; what follows, by kind (numbers are f64
 * counts of 8 bytes unless said otherwise):
 *
 *   vote requests       term | lastIndex | lastTerm | transfer u8
 *   vote responses      term | granted u8
 *   append              term | previousIndex | previousTerm | commit | count u32 | count x entry
 *     entry             term | kind u8, zero u24 | length u32 | data           (index = previousIndex + place)
 *   append response     term | answer u8 | matchIndex | rejectedIndex | hintIndex | hintTerm
 *     answer            0: refused, 1: success, 2: refused, and the damaged log ends at matchIndex
 *   heartbeat           term | commit | readRound | lease tick | promise ticks      (tick 0: no lease wanted)
 *   heartbeat response  term | readRound | lease tick                               (0: nothing promised)
 *   snapshot chunk      term | meta.index | meta.term | meta.sizeBytes | offset | lengthBytes | done u8
 *                       | 4 x count u16 | 16 bytes per id | data to the end of the frame
 *   snapshot response   term | index | nextOffset | installed u8
 *   timeout now         term
 *   read index request  term | requestId
 *   read index response term | requestId | index
 *
 * `from` and `to` are not written: see frame.ts.
 */
import { EntryKind } from "@ferrite/raft";
import type {
  AppendRequest,
  AppendResponse,
  Configuration,
  Entry,
  Heartbeat,
  HeartbeatResponse,
  Message,
  NodeId,
  SnapshotChunk,
} from "@ferrite/raft";
import { PeerError } from "./errors.ts";
import { FrameKind, GROUP_ID } from "./frame.ts";
import { malformed } from "./frame-reader.ts";
import type { FrameReader } from "./frame-reader.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { NODE_ID_BYTES, checkNodeId } from "./node-id-bytes.ts";

const ENTRY_HEADER_BYTES = 16;
const APPEND_FIXED_BYTES = 36;
const CHUNK_FIXED_BYTES = 57;
/** Four lists of at most this many ids; far more members than a Raft group can work with. */
export const CONFIGURATION_IDS_MAX = 256;
const HIGHEST_ENTRY_KIND = Math.max(...Object.values(EntryKind));

const FRAME_KINDS: Readonly<Record<Message["kind"], FrameKind>> = {
  preVoteRequest: FrameKind.PreVoteRequest,
  voteRequest: FrameKind.VoteRequest,
  preVoteResponse: FrameKind.PreVoteResponse,
  voteResponse: FrameKind.VoteResponse,
  append: FrameKind.Append,
  appendResponse: FrameKind.AppendResponse,
  heartbeat: FrameKind.Heartbeat,
  heartbeatResponse: FrameKind.HeartbeatResponse,
  snapshotChunk: FrameKind.SnapshotChunk,
  snapshotResponse: FrameKind.SnapshotResponse,
  timeoutNow: FrameKind.TimeoutNow,
  readIndexRequest: FrameKind.ReadIndexRequest,
  readIndexResponse: FrameKind.ReadIndexResponse,
};

/**
 * Length of the message's body. Checks what the format relies on, so that writing can not fail half-way through a
 * frame.
 * @throws PeerError notEncodable
 */
export function raftBodyBytes(message: Message): number {
  switch (message.kind) {
    case "append":
      return appendBodyBytes(message);
    case "snapshotChunk":
      return chunkFixedBytes(message) + message.data.length;
    default:
      return FIXED_BODY_BYTES[message.kind];
  }
}

/** Appends the message's frame. `bodyBytes` comes from `raftBodyBytes`. */
export function writeRaftMessage(
  writer: FrameWriter,
  message: Message,
  senderTimeMs: number,
  bodyBytes: number,
): void {
  const kind = FRAME_KINDS[message.kind];
  if (message.kind === "append") {
    writer.begin(kind, GROUP_ID, senderTimeMs, bodyBytes, APPEND_FIXED_BYTES);
    writeAppend(writer, message);
  } else if (message.kind === "snapshotChunk") {
    const fixedBytes = bodyBytes - message.data.length;
    writer.begin(kind, GROUP_ID, senderTimeMs, bodyBytes, fixedBytes);
    writeChunk(writer, message);
  } else {
    writer.begin(kind, GROUP_ID, senderTimeMs, bodyBytes, bodyBytes);
    writeFixed(writer, message);
  }
}

/** Messages whose body has one length. */
type FixedMessage = Exclude<Message, { readonly kind: "append" | "snapshotChunk" }>;

const FIXED_BODY_BYTES: Readonly<Record<FixedMessage["kind"], number>> = {
  preVoteRequest: 25,
  voteRequest: 25,
  preVoteResponse: 9,
  voteResponse: 9,
  appendResponse: 41,
  heartbeat: 40,
  heartbeatResponse: 24,
  snapshotResponse: 25,
  timeoutNow: 8,
  readIndexRequest: 16,
  readIndexResponse: 24,
};

function writeFixed(writer: FrameWriter, message: FixedMessage): void {
  writer.f64(message.term);
  switch (message.kind) {
    case "preVoteRequest":
    case "voteRequest":
      writer.f64(message.lastIndex);
      writer.f64(message.lastTerm);
      writer.u8(message.transfer ? 1 : 0);
      return;
    case "preVoteResponse":
    case "voteResponse":
      writer.u8(message.granted ? 1 : 0);
      return;
    case "appendResponse":
      writer.u8(appendAnswerOf(message));
      writer.f64(message.matchIndex);
      writer.f64(message.rejectedIndex);
      writer.f64(message.hintIndex);
      writer.f64(message.hintTerm);
      return;
    case "heartbeat":
      writer.f64(message.commit);
      writer.f64(message.readRound);
      writer.f64(message.lease?.tick ?? 0);
      writer.f64(message.lease?.promiseTicks ?? 0);
      return;
    case "heartbeatResponse":
      writer.f64(message.readRound);
      writer.f64(message.leaseTick ?? 0);
      return;
    case "snapshotResponse":
      writer.f64(message.index);
      writer.f64(message.nextOffsetBytes);
      writer.u8(message.installed ? 1 : 0);
      return;
    case "timeoutNow":
      return;
    case "readIndexRequest":
      writer.f64(message.requestId);
      return;
    case "readIndexResponse":
      writer.f64(message.requestId);
      writer.f64(message.index);
      return;
  }
}

/** How an append was answered, as one byte. */
const AppendAnswer = { Refused: 0, Success: 1, RefusedDamaged: 2 } as const;

function appendAnswerOf(message: AppendResponse): number {
  if (message.success) {
    return AppendAnswer.Success;
  }
  return message.lowersMatch === true ? AppendAnswer.RefusedDamaged : AppendAnswer.Refused;
}

function appendBodyBytes(message: AppendRequest): number {
  const entries = message.entries;
  let total = APPEND_FIXED_BYTES + entries.length * ENTRY_HEADER_BYTES;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    if (entry.index !== message.previousIndex + 1 + i) {
      throw new PeerError(
        "notEncodable",
        `Entry ${entry.index} does not follow ${message.previousIndex + i}.`,
      );
    }
    total += entry.data.length;
  }
  return total;
}

function writeAppend(writer: FrameWriter, message: AppendRequest): void {
  writer.f64(message.term);
  writer.f64(message.previousIndex);
  writer.f64(message.previousTerm);
  writer.f64(message.commit);
  writer.u32(message.entries.length);
  for (const entry of message.entries) {
    writer.reserve(ENTRY_HEADER_BYTES);
    writer.f64(entry.term);
    writer.u32(entry.kind);
    writer.u32(entry.data.length);
    writer.bytes(entry.data);
  }
}

function idListsOf(configuration: Configuration): readonly (readonly NodeId[])[] {
  return [
    configuration.voters,
    configuration.votersOutgoing,
    configuration.learners,
    configuration.learnersNext,
  ];
}

function chunkFixedBytes(message: SnapshotChunk): number {
  let total = CHUNK_FIXED_BYTES;
  for (const ids of idListsOf(message.meta.configuration)) {
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

function writeChunk(writer: FrameWriter, message: SnapshotChunk): void {
  writer.f64(message.term);
  writer.f64(message.meta.index);
  writer.f64(message.meta.term);
  writer.f64(message.meta.sizeBytes);
  writer.f64(message.offsetBytes);
  writer.f64(message.lengthBytes);
  writer.u8(message.done ? 1 : 0);
  const lists = idListsOf(message.meta.configuration);
  for (const ids of lists) {
    writer.u16(ids.length);
  }
  for (const ids of lists) {
    for (const id of ids) {
      writer.nodeId(id);
    }
  }
  writer.bytes(message.data);
}

/** The two ends of the link a frame came over; they become `from` and `to`. */
export interface LinkEnds {
  readonly from: NodeId;
  readonly to: NodeId;
}

/**
 * Reads the body of a frame of `kind`. Null when the kind is not one of Raft's.
 * @throws PeerError frameMalformed
 */
export function readRaftMessage(kind: number, reader: FrameReader, ends: LinkEnds): Message | null {
  if (kind < FrameKind.PreVoteRequest || kind > FrameKind.ReadIndexResponse) {
    return null;
  }
  const term = reader.count();
  switch (kind as FrameKind) {
    case FrameKind.Append:
      return readAppend(reader, ends, term);
    case FrameKind.AppendResponse:
      return readAppendResponse(reader, ends, term);
    case FrameKind.Heartbeat:
      return readHeartbeat(reader, ends, term);
    case FrameKind.HeartbeatResponse:
      return readHeartbeatResponse(reader, ends, term);
    case FrameKind.SnapshotChunk:
      return readChunk(reader, ends, term);
    default:
      return readRare(kind as FrameKind, reader, ends, term);
  }
}

function readRare(
  kind: FrameKind,
  reader: FrameReader,
  { from, to }: LinkEnds,
  term: number,
): Message | null {
  switch (kind) {
    case FrameKind.PreVoteRequest:
    case FrameKind.VoteRequest:
      return {
        kind: kind === FrameKind.VoteRequest ? "voteRequest" : "preVoteRequest",
        from,
        to,
        term,
        lastIndex: reader.count(),
        lastTerm: reader.count(),
        transfer: reader.boolean(),
      };
    case FrameKind.PreVoteResponse:
    case FrameKind.VoteResponse:
      return {
        kind: kind === FrameKind.VoteResponse ? "voteResponse" : "preVoteResponse",
        from,
        to,
        term,
        granted: reader.boolean(),
      };
    case FrameKind.SnapshotResponse:
      return {
        kind: "snapshotResponse",
        from,
        to,
        term,
        index: reader.count(),
        nextOffsetBytes: reader.count(),
        installed: reader.boolean(),
      };
    case FrameKind.TimeoutNow:
      return { kind: "timeoutNow", from, to, term };
    case FrameKind.ReadIndexRequest:
      return { kind: "readIndexRequest", from, to, term, requestId: reader.count() };
    case FrameKind.ReadIndexResponse:
      return {
        kind: "readIndexResponse",
        from,
        to,
        term,
        requestId: reader.count(),
        index: reader.count(),
      };
    default:
      return null;
  }
}

function readAppend(reader: FrameReader, { from, to }: LinkEnds, term: number): AppendRequest {
  const previousIndex = reader.count();
  const previousTerm = reader.count();
  const commit = reader.count();
  const count = reader.u32();
  if (count * ENTRY_HEADER_BYTES > reader.remainingBytes) {
    throw malformed(`${count} entries do not fit into it`);
  }
  if (!Number.isSafeInteger(previousIndex + count)) {
    throw malformed("its last index is beyond all counting");
  }
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const entryTerm = reader.count();
    const kind = reader.u32();
    if (kind > HIGHEST_ENTRY_KIND) {
      throw malformed(`an entry's kind is ${kind}`);
    }
    const data = reader.bytes(reader.u32());
    entries.push({ index: previousIndex + 1 + i, term: entryTerm, kind: kind as EntryKind, data });
  }
  return { kind: "append", from, to, term, previousIndex, previousTerm, entries, commit };
}

function readAppendResponse(
  reader: FrameReader,
  { from, to }: LinkEnds,
  term: number,
): AppendResponse {
  const answer = reader.u8();
  if (answer > AppendAnswer.RefusedDamaged) {
    throw malformed(`an append was answered with ${answer}`);
  }
  const response: AppendResponse = {
    kind: "appendResponse",
    from,
    to,
    term,
    success: answer === AppendAnswer.Success,
    matchIndex: reader.count(),
    rejectedIndex: reader.count(),
    hintIndex: reader.count(),
    hintTerm: reader.count(),
  };
  return answer === AppendAnswer.RefusedDamaged ? { ...response, lowersMatch: true } : response;
}

function readHeartbeat(reader: FrameReader, { from, to }: LinkEnds, term: number): Heartbeat {
  const commit = reader.count();
  const readRound = reader.count();
  const tick = reader.count();
  const promiseTicks = reader.count();
  const heartbeat: Heartbeat = { kind: "heartbeat", from, to, term, commit, readRound };
  return tick === 0 ? heartbeat : { ...heartbeat, lease: { tick, promiseTicks } };
}

function readHeartbeatResponse(
  reader: FrameReader,
  { from, to }: LinkEnds,
  term: number,
): HeartbeatResponse {
  const readRound = reader.count();
  const leaseTick = reader.count();
  const response: HeartbeatResponse = { kind: "heartbeatResponse", from, to, term, readRound };
  return leaseTick === 0 ? response : { ...response, leaseTick };
}

function readChunk(reader: FrameReader, { from, to }: LinkEnds, term: number): SnapshotChunk {
  const index = reader.count();
  const metaTerm = reader.count();
  const sizeBytes = reader.count();
  const offsetBytes = reader.count();
  const lengthBytes = reader.count();
  const done = reader.boolean();
  const counts = [reader.u16(), reader.u16(), reader.u16(), reader.u16()];
  const [voters, votersOutgoing, learners, learnersNext] = counts.map((count) =>
    readNodeIds(reader, count),
  ) as [NodeId[], NodeId[], NodeId[], NodeId[]];
  const data = reader.bytes(reader.remainingBytes);
  if (data.length !== lengthBytes || offsetBytes + lengthBytes > sizeBytes) {
    throw malformed(
      `a part of ${data.length} bytes at ${offsetBytes} says ${lengthBytes} of a snapshot of ${sizeBytes}`,
    );
  }
  const configuration = { voters, votersOutgoing, learners, learnersNext };
  const meta = { index, term: metaTerm, configuration, sizeBytes };
  return { kind: "snapshotChunk", from, to, term, meta, offsetBytes, lengthBytes, done, data };
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
