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
  const head = `${message.from}>${message.to} ${message.kind} term=${message.term}`;
  switch (message.kind) {
    case "voteRequest":
    case "preVoteRequest":
      return `${head} last=${message.lastIndex}.${message.lastTerm}${message.transfer ? " transfer" : ""}`;
    case "voteResponse":
    case "preVoteResponse":
      return `${head} ${message.granted ? "granted" : "refused"}`;
    case "append":
      return (
        `${head} after=${message.previousIndex}.${message.previousTerm} ` +
        `entries=${describeEntries(message.entries)} commit=${message.commit}`
      );
    case "appendResponse":
      return message.success
        ? `${head} match=${message.matchIndex}`
        : `${head} refused=${message.rejectedIndex} hint=${message.hintIndex}.${message.hintTerm}`;
    case "heartbeat":
      return `${head} commit=${message.commit} round=${message.readRound}`;
    case "heartbeatResponse":
      return `${head} round=${message.readRound}`;
    case "snapshotChunk":
      return (
        `${head} index=${message.meta.index} bytes=${message.offsetBytes}+${message.lengthBytes}` +
        `/${message.meta.sizeBytes}${message.done ? " done" : ""}`
      );
    case "snapshotResponse":
      return `${head} index=${message.index} next=${message.nextOffsetBytes}${message.installed ? " installed" : ""}`;
    case "timeoutNow":
      return head;
    case "readIndexRequest":
      return `${head} request=${message.requestId}`;
    case "readIndexResponse":
      return `${head} request=${message.requestId} index=${message.index}`;
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
  ready.snapshotChunks.forEach((part) => say(`stores bytes ${part.offsetBytes}+${part.lengthBytes}`));
  ready.snapshotsWanted.forEach((wanted) =>
    say(`wants a snapshot for ${wanted.to} from ${wanted.minimumIndex}`),
  );
  return lines;
}
