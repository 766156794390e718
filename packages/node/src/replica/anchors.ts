/**
 * The heads of the nodes' audit chains, as the cluster has witnessed them: a node whose trail was rewritten can not bring
 * its present and its anchored head together any more (S50). A part of the replicated state: one line per member.
 */
import type { Configuration } from "@ferrite/raft";
import { uuidText } from "./batch.ts";
import { encodeInternalWrite, InternalWrite } from "./internal-writes.ts";

export interface Anchor {
  readonly sequence: number;
  readonly head: string;
}

/** As written into a snapshot. */
export type AnchorRecord = readonly [nodeId: string, sequence: number, head: string];

/** Characters of a head: it is a digest in hexadecimal digits or base64, with room for a longer one. */
export const ANCHOR_HEAD_LENGTH_MAX = 128;

const HEAD: RegExp = /^[\x21-\x7e]+$/;

/** @throws RangeError when the head is no byte string */
export function encodeAnchor(anchor: Anchor): Buffer {
  return encodeInternalWrite(InternalWrite.Anchor, [String(anchor.sequence), anchor.head]);
}

export class Anchors {
  readonly #anchors: Map<string, Anchor> = new Map();

  /** By node id. */
  get all(): ReadonlyMap<string, Anchor> {
    return this.#anchors;
  }

  /**
   * Takes the anchor of the node from which the batch came: `words` is what encodeAnchor made. Returns the error, or null.
   * A chain never goes back; who starts one anew goes on from the anchored sequence.
   */
  apply(originKey: string, words: readonly string[], configuration: Configuration): string | null {
    const nodeId = uuidText(originKey);
    if (!members(configuration).has(nodeId)) return "ERR only a member may anchor its audit trail";
    const anchor: Anchor = { sequence: Number(words[1]), head: words[2] ?? "" };
    if (words.length !== 3 || !isAnchor(anchor)) return "ERR this is no anchor of an audit trail";
    const before = this.#anchors.get(nodeId);
    if (before !== undefined && anchor.sequence <= before.sequence) {
      if (anchor.sequence === before.sequence && anchor.head === before.head) return null;
      return `ERR the audit trail is anchored at ${before.sequence} already, with another head`;
    }
    this.#anchors.set(nodeId, anchor);
    return null;
  }

  /** Forgets the nodes that are no members any more. */
  keepMembers(configuration: Configuration): void {
    const kept = members(configuration);
    for (const nodeId of this.#anchors.keys()) {
      if (!kept.has(nodeId)) this.#anchors.delete(nodeId);
    }
  }

  /** The node is a member no more. */
  forget(nodeId: string): void {
    this.#anchors.delete(nodeId);
  }

  /** Sorted, so that equal anchors give equal bytes. */
  records(): AnchorRecord[] {
    return [...this.#anchors]
      .map(([nodeId, { sequence, head }]): AnchorRecord => [nodeId, sequence, head])
      .sort((left, right) => (left[0] < right[0] ? -1 : 1));
  }

  restore(records: readonly AnchorRecord[]): void {
    this.#anchors.clear();
    for (const [nodeId, sequence, head] of records) this.#anchors.set(nodeId, { sequence, head });
  }
}

export function isAnchor(anchor: Anchor): boolean {
  const { sequence, head } = anchor;
  if (!Number.isSafeInteger(sequence) || sequence < 0) return false;
  return typeof head === "string" && head.length <= ANCHOR_HEAD_LENGTH_MAX && HEAD.test(head);
}

function members(configuration: Configuration): Set<string> {
  const { voters, votersOutgoing, learners, learnersNext } = configuration;
  return new Set([...voters, ...votersOutgoing, ...learners, ...learnersNext]);
}
