/**
 * Term and vote a second time, beside the log, so that damage in the log does not take the one thing a node must never
 * forget (R58): whom it has promised its vote.
 *
 *    0            512          1024
 *    +------------+------------+
 *    | slot 0     | slot 1     |     both the same, written in one write and one sync
 *    +------------+------------+
 *
 * The rule that makes it worth having: a new term or vote is durable here **before** the log record that holds it is
 * written, and nobody hears of it before that record is durable. So the file is never older than the log. It may be
 * newer by one write that a crash kept from the log; then a vote is kept that was promised to nobody, which is allowed.
 *
 * Whatever was promised stood in both slots. A crash leaves at most one of them half written, with the other one old or
 * new, and either is right then. So one whole slot is enough to be certain, and one damaged slot takes nothing.
 *
 * Votes are rare: an fdatasync more for each election and none for writes. A directory from before this file has none;
 * the log tells then, and the file is made at the next opening.
 */
import type { HardState } from "@ferrite/raft";
import type { AtRestKeys } from "./at-rest-keys.ts";
import type { FileHandle, FileSystem } from "./file-system.ts";
import { decodeVoteSlot, encodeVoteSlot, voteSlotBytes } from "./vote-slot-format.ts";
import type { Vote, VoteFileOptions, VoteSlot } from "./vote-slot-format.ts";

const slotCount = 2;

/** What a vote file says. */
export interface VotesFound {
  readonly exists: boolean;
  /** The newest vote, for certain; null when there is no whole slot. */
  readonly vote: Vote | null;
  /** Null for a slot that is not what was written. */
  readonly slots: readonly (VoteSlot | null)[];
}

/** Reads only. Throws what `decodeVoteSlot` throws. */
export function readVotes(fileSystem: FileSystem, options: VoteFileOptions): VotesFound {
  if (!fileSystem.exists(options.path)) {
    return { exists: false, vote: null, slots: [null, null] };
  }
  const handle = fileSystem.open(options.path, "read");
  try {
    const bytes = new Uint8Array(slotCount * voteSlotBytes);
    handle.read(bytes, 0);
    const slots = Array.from({ length: slotCount }, (_, slot) =>
      decodeVoteSlot(bytes, slot * voteSlotBytes, options),
    );
    const [newest] = slots
      .filter((slot) => slot !== null)
      .toSorted((a, b) => b.vote.term - a.vote.term || b.counter - a.counter);
    return { exists: true, vote: newest?.vote ?? null, slots };
  } finally {
    handle.close();
  }
}

/**
 * The vote of the higher term; within one term one that was given goes before none. Undefined when both name somebody
 * else in one term: one of them is not this node's.
 */
export function laterVote(a: Vote | null, b: Vote | null): Vote | null | undefined {
  if (a === null || b === null) {
    return a ?? b;
  }
  if (a.term !== b.term) {
    return a.term > b.term ? a : b;
  }
  if (a.vote !== null && b.vote !== null && a.vote !== b.vote) {
    return undefined;
  }
  return a.vote === null ? b : a;
}

/** The file while the log is written. */
export class VoteFile {
  readonly #handle: FileHandle;
  #options: VoteFileOptions;
  #counter: number;
  #stored: Vote;

  /**
   * Makes the file, or makes both its slots hold `vote`, durably, when they do not yet or are not encrypted with the
   * current key. To be called once all that a start needs was found right.
   */
  static settle(fileSystem: FileSystem, options: VoteFileOptions, vote: Vote): void {
    const found = readVotes(fileSystem, options);
    const keyId = options.encryption?.current.id ?? 0;
    const isSettled = found.slots.every(
      (slot) =>
        slot !== null &&
        slot.nodeKeyId === keyId &&
        slot.vote.term === vote.term &&
        slot.vote.vote === vote.vote,
    );
    if (isSettled) {
      return;
    }
    if (!found.exists) {
      makeFile(fileSystem, options.path);
    }
    const file = new VoteFile(fileSystem, options, found);
    try {
      file.#stored = vote;
      if (found.slots[0] === null || found.slots[1] === null) {
        // The whole slot, if there is one, stays as it is until the other one is whole.
        file.#write(found.slots[0] === null ? 0 : 1, 1);
      }
      file.#write(0, slotCount);
    } finally {
      file.close();
    }
  }

  /** Opens a file that was settled. */
  static resume(fileSystem: FileSystem, options: VoteFileOptions): VoteFile {
    return new VoteFile(fileSystem, options, readVotes(fileSystem, options));
  }

  private constructor(fileSystem: FileSystem, options: VoteFileOptions, found: VotesFound) {
    this.#options = options;
    this.#counter = Math.max(...found.slots.map((slot) => slot?.counter ?? 0));
    this.#stored = found.vote ?? { term: 0, vote: null };
    this.#handle = fileSystem.open(options.path, "readWrite");
  }

  /** Makes a new term or vote durable. Costs nothing when it is the one of before. Throws the system's errors: final. */
  note({ term, vote }: HardState): void {
    if (term === this.#stored.term && vote === this.#stored.vote) {
      return;
    }
    this.#stored = { term, vote };
    this.#write(0, slotCount);
  }

  /** Encrypts the slots with another key: they must not need one that may be dropped soon. */
  useKeys(keys: AtRestKeys): void {
    this.#options = { ...this.#options, encryption: keys };
    this.#write(0, slotCount);
  }

  close(): void {
    this.#handle.close();
  }

  #write(firstSlot: number, count: number): void {
    this.#counter += 1;
    const slot = encodeVoteSlot(this.#options, this.#counter, this.#stored);
    const bytes = new Uint8Array(count * voteSlotBytes);
    for (let at = 0; at < bytes.length; at += voteSlotBytes) {
      bytes.set(slot, at);
    }
    this.#handle.write(bytes, firstSlot * voteSlotBytes);
    this.#handle.sync();
  }
}

/** Its length and its name are durable before anything is written into it. */
function makeFile(fileSystem: FileSystem, path: string): void {
  const handle = fileSystem.open(path, "create");
  try {
    handle.reserve(slotCount * voteSlotBytes);
    handle.sync();
  } finally {
    handle.close();
  }
  const directoryEnd = path.lastIndexOf("/");
  fileSystem.syncDirectory(directoryEnd <= 0 ? "/" : path.slice(0, directoryEnd));
}
