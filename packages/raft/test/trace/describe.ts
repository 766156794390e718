/** Messages and Readys as one line of text each. */
import { decodeConfiguration, EntryKind } from "../../src/index.ts";
import type { Configuration, Entry, Message, Ready } from "../../src/index.ts";
import { textOf } from "../harness/options.ts";

export function describeConfiguration(configuration: Configuration): string {
  const { voters, votersOutgoing, learners, learnersNext } = configuration;
  const parts = [`voters=${voters.join(",")}`];
  if (votersOutgoing.length > 0) {
    parts.push(`outgoing=${votersOutgoing.join(",")}`);
  }
  if (learners.length > 0) {
    parts.push(`learners=${learners.join(",")}`);
  }
  if (learnersNext.length > 0) {
    parts.push(`learnersNext=${learnersNext.join(",")}`);
  }
  return parts.join(" ");
}

export function describeEntry(entry: Entry): string {
  const place = `${entry.index}.${entry.term}`;
  switch (entry.kind) {
    case EntryKind.NoOp:
      return `${place}:noop`;
    case EntryKind.Configuration:
      return `${place}:{${describeConfiguration(decodeConfiguration(entry.data))}}`;
    default:
      return `${place}:${textOf(entry.data)}`;
  }
}

function describeEntries(entries: readonly Entry[]): string {
  return `[${entries.map(describeEntry).join(" ")}]`;
}

export function describeMessage(message: Message): string {
  const { from, to, kind, term } = message;
  return `${from}>${to} ${kind} term=${term}${describeBody(message)}`;
}

function describeBody(message: Message): string {
  switch (message.kind) {
    case "voteRequest":
    case "preVoteRequest":
      return ` last=${message.lastIndex}.${message.lastTerm}${message.transfer ? " transfer" : ""}`;
    case "voteResponse":
    case "preVoteResponse":
      return message.granted ? " granted" : " refused";
    case "append": {
      const { previousIndex, previousTerm, entries, commit } = message;
      return ` after=${previousIndex}.${previousTerm} entries=${describeEntries(entries)} commit=${commit}`;
    }
    case "appendResponse": {
      const { success, matchIndex, rejectedIndex, hintIndex, hintTerm } = message;
      return success
        ? ` match=${matchIndex}`
        : ` refused=${rejectedIndex} hint=${hintIndex}.${hintTerm}`;
    }
    case "heartbeat":
      return ` commit=${message.commit} round=${message.readRound}`;
    case "heartbeatResponse":
      return ` round=${message.readRound}`;
    case "snapshotChunk": {
      const { meta, offsetBytes, lengthBytes, done } = message;
      const range = `${offsetBytes}+${lengthBytes}/${meta.sizeBytes}`;
      return ` index=${meta.index} bytes=${range}${done ? " done" : ""}`;
    }
    case "snapshotResponse":
      return ` index=${message.index} next=${message.nextOffsetBytes}${message.installed ? " installed" : ""}`;
    case "readIndexRequest":
      return ` request=${message.requestId}`;
    case "readIndexResponse":
      return ` request=${message.requestId} index=${message.index}`;
    default:
      return "";
  }
}

/** The effects in the order ready.ts gives them. */
export function describeReady(id: string, ready: Ready): readonly string[] {
  const lines: string[] = [];
  const say = (text: string): void => void lines.push(`  ${id} ${text}`);
  if (ready.roleChange !== null) {
    const { role, term, leader } = ready.roleChange;
    say(`becomes ${role} in term ${term}, leader ${leader ?? "unknown"}`);
  }
  ready.messages.forEach((message) => say(`sends ${describeMessage(message)}`));
  if (ready.hardState !== null) {
    const { term, vote, commit } = ready.hardState;
    say(`writes term=${term} vote=${vote ?? "none"} commit=${commit}`);
  }
  if (ready.entries.length > 0) {
    say(`writes ${describeEntries(ready.entries)}`);
  }
  ready.messagesAfterPersist.forEach((message) => say(`then sends ${describeMessage(message)}`));
  if (ready.committed.length > 0) {
    say(`commits ${describeEntries(ready.committed)}`);
  }
  ready.reads.forEach((read) => say(`may serve read ${read.requestId} at ${read.index}`));
  ready.readsFailed.forEach((requestId) => say(`gives up read ${requestId}`));
  ready.snapshotChunks.forEach((part) =>
    say(`stores bytes ${part.offsetBytes}+${part.lengthBytes}`),
  );
  ready.snapshotsWanted.forEach((wanted) =>
    say(`wants a snapshot for ${wanted.to} from ${wanted.minimumIndex}`),
  );
  return lines;
}
