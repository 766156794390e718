/**
 * Configurations as bytes, and which may follow which.
 *
 * Bytes of a configuration entry:
 *
 *   +---------+----------------+----------------+----------------+----------------+
 *   | version | voters         | votersOutgoing | learners       | learnersNext   |
 *   | u8 = 1  | list           | list           | list           | list           |
 *   +---------+----------------+----------------+----------------+----------------+
 *   list = | count u8 | then per id: | length u8 | that many bytes, printable ASCII |
 *
 * Joint consensus (thesis, section 4.3): a change of more than one voter goes through a joint configuration, in which
 * `votersOutgoing` holds the old voters, and ends with the simple one that `leaveJoint` gives.
 */
import { RaftError } from "./errors.ts";
import type { Configuration, NodeId } from "./types.ts";

const FORMAT_VERSION = 1;

/** Ids per list and bytes per id, as one length byte can tell. */
export const configurationListMax: number = 255;
export const nodeIdBytesMax: number = 255;

/** Raft's data without any member: a node that has not been told of its cluster yet. */
export const emptyConfiguration: Configuration = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
};

function listsOf(configuration: Configuration): readonly (readonly NodeId[])[] {
  return [
    configuration.voters,
    configuration.votersOutgoing,
    configuration.learners,
    configuration.learnersNext,
  ];
}

/** Bytes for a configuration entry. Throws `configurationInvalid` for a configuration that can not be. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  validateConfiguration(configuration);
  let sizeBytes = 1;
  for (const list of listsOf(configuration)) {
    sizeBytes += 1;
    for (const id of list) {
      sizeBytes += 1 + id.length;
    }
  }
  const bytes = new Uint8Array(sizeBytes);
  let offset = 0;
  bytes[offset++] = FORMAT_VERSION;
  for (const list of listsOf(configuration)) {
    bytes[offset++] = list.length;
    for (const id of list) {
      bytes[offset++] = id.length;
      for (let position = 0; position < id.length; position += 1) {
        bytes[offset++] = id.charCodeAt(position);
      }
    }
  }
  return bytes;
}

/** Reads what `encodeConfiguration` wrote. Throws `configurationMalformed` for anything else. */
export function decodeConfiguration(bytes: Uint8Array): Configuration {
  const reader = new Reader(bytes);
  const version = reader.byte();
  if (version !== FORMAT_VERSION) {
    throw malformed(`format version ${version} is not known`);
  }
  const configuration: Configuration = {
    voters: reader.list(),
    votersOutgoing: reader.list(),
    learners: reader.list(),
    learnersNext: reader.list(),
  };
  reader.end();
  try {
    validateConfiguration(configuration);
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error));
  }
  return configuration;
}

class Reader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    const value = this.#bytes[this.#offset];
    if (value === undefined) {
      throw malformed(`it ends early, at byte ${this.#offset}`);
    }
    this.#offset += 1;
    return value;
  }

  list(): readonly NodeId[] {
    const ids: NodeId[] = [];
    const count = this.byte();
    for (let position = 0; position < count; position += 1) {
      ids.push(this.#id());
    }
    return ids;
  }

  end(): void {
    if (this.#offset !== this.#bytes.length) {
      throw malformed(`${this.#bytes.length - this.#offset} bytes behind its end`);
    }
  }

  #id(): NodeId {
    const length = this.byte();
    let id = "";
    for (let position = 0; position < length; position += 1) {
      id += String.fromCharCode(this.byte());
    }
    return id;
  }
}

/** Throws `configurationInvalid` unless the configuration can be in force. */
export function validateConfiguration(configuration: Configuration): void {
  const { voters, votersOutgoing, learners, learnersNext } = configuration;
  for (const list of listsOf(configuration)) {
    requireValid(list.length <= configurationListMax, `more than ${configurationListMax} ids`);
    requireValid(new Set(list).size === list.length, "an id twice in one list");
    for (const id of list) {
      requireValid(isNodeId(id), `"${id}" is not 1 to ${nodeIdBytesMax} printable ASCII bytes`);
    }
  }
  requireValid(voters.length > 0, "no voters");
  for (const id of learners) {
    const votes = voters.includes(id) || votersOutgoing.includes(id);
    requireValid(!votes, `"${id}" is voter and learner at once`);
  }
  for (const id of learnersNext) {
    requireValid(votersOutgoing.includes(id), `"${id}" is to become a learner but is not leaving`);
    requireValid(!voters.includes(id), `"${id}" is to become a learner but stays a voter`);
  }
}

/** Throws `configurationInvalid` unless `next` may be appended while `current` is in force. */
export function validateTransition(current: Configuration, next: Configuration): void {
  validateConfiguration(next);
  if (isJoint(current)) {
    requireValid(
      sameConfiguration(next, leaveJoint(current)),
      "a joint configuration is only left for its incoming half",
    );
    return;
  }
  if (isJoint(next)) {
    requireValid(
      sameMembers(next.votersOutgoing, current.voters),
      "the outgoing half is not the configuration in force",
    );
    return;
  }
  // One voter more or less keeps any two majorities overlapping (thesis, section 4.1); two do not.
  const added = next.voters.filter((id) => !current.voters.includes(id)).length;
  const removed = current.voters.filter((id) => !next.voters.includes(id)).length;
  requireValid(added + removed <= 1, "more than one voter changes without a joint phase");
}

/** Does a decision need two majorities? */
export function isJoint(configuration: Configuration): boolean {
  return configuration.votersOutgoing.length > 0;
}

/** The joint configuration that leads from `current` to `target`; both simple. */
export function enterJoint(current: Configuration, target: Configuration): Configuration {
  const leaving = current.voters.filter((id) => !target.voters.includes(id));
  return {
    voters: target.voters,
    votersOutgoing: current.voters,
    // Who still votes in the outgoing half can not be a learner before that half is gone.
    learners: target.learners.filter((id) => !current.voters.includes(id)),
    learnersNext: target.learners.filter((id) => leaving.includes(id)),
  };
}

/** The simple configuration that ends a joint one. */
export function leaveJoint(configuration: Configuration): Configuration {
  return {
    voters: configuration.voters,
    votersOutgoing: [],
    learners: [...configuration.learners, ...configuration.learnersNext],
    learnersNext: [],
  };
}

/** Do both have the same members in the same offices? Order does not matter. */
export function sameConfiguration(one: Configuration, other: Configuration): boolean {
  return (
    sameMembers(one.voters, other.voters) &&
    sameMembers(one.votersOutgoing, other.votersOutgoing) &&
    sameMembers(one.learners, other.learners) &&
    sameMembers(one.learnersNext, other.learnersNext)
  );
}

function sameMembers(one: readonly NodeId[], other: readonly NodeId[]): boolean {
  return one.length === other.length && one.every((id) => other.includes(id));
}

function isNodeId(id: NodeId): boolean {
  if (id.length === 0 || id.length > nodeIdBytesMax) {
    return false;
  }
  for (let position = 0; position < id.length; position += 1) {
    const code = id.charCodeAt(position);
    if (code < 0x21 || code > 0x7e) {
      return false;
    }
  }
  return true;
}

function requireValid(condition: boolean, detail: string): void {
  if (!condition) {
    throw new RaftError("configurationInvalid", detail);
  }
}

function malformed(detail: string): RaftError {
  return new RaftError("configurationMalformed", detail);
}
