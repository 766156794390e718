/** Ways in which bytes go wrong. */
import type { Prng } from "../compat/prng.ts";

type Mutator = (bytes: Buffer, random: Prng) => Buffer;

/** A place in the bytes, the beginning and the end more often than the rest. */
function place(bytes: Buffer, random: Prng): number {
  if (bytes.length === 0) return 0;
  if (random.oneIn(6)) return random.below(Math.min(bytes.length, 64));
  if (random.oneIn(6)) return bytes.length - 1 - random.below(Math.min(bytes.length, 64));
  return random.below(bytes.length);
}

function range(bytes: Buffer, random: Prng): [start: number, end: number] {
  const start = place(bytes, random);
  const longest = random.pick([4, 64, 600, bytes.length]);
  return [start, Math.min(bytes.length, start + 1 + random.below(longest))];
}

/** Splices keep the rest, so that all behind them moves. */
function spliced(bytes: Buffer, at: number, removed: number, inserted: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]);
}

export function randomBytes(length: number, random: Prng): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

function flipBits(bytes: Buffer, random: Prng): Buffer {
  const copy = Buffer.from(bytes);
  for (let count = 1 + random.below(8); count > 0 && copy.length > 0; count--) {
    const at = place(copy, random);
    copy[at] ^= 1 << random.below(8);
  }
  return copy;
}

function setByte(bytes: Buffer, random: Prng): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy[place(copy, random)] = random.pick([0, 1, 0x7f, 0x80, 0xff, 0x2a]);
  return copy;
}

function zeroRange(bytes: Buffer, random: Prng): Buffer {
  const copy = Buffer.from(bytes);
  copy.fill(0, ...range(copy, random));
  return copy;
}

function zeroTail(bytes: Buffer, random: Prng): Buffer {
  const copy = Buffer.from(bytes);
  copy.fill(0, place(copy, random));
  return copy;
}

function overwriteRange(bytes: Buffer, random: Prng): Buffer {
  const copy = Buffer.from(bytes);
  const [start, end] = range(copy, random);
  randomBytes(end - start, random).copy(copy, start);
  return copy;
}

/** What was written in one place appears in another as well: a write that went astray. */
function copyRange(bytes: Buffer, random: Prng): Buffer {
  const copy = Buffer.from(bytes);
  const [start, end] = range(bytes, random);
  bytes.copy(copy, place(copy, random), start, end);
  return copy;
}

const truncate: Mutator = (bytes, random) => Buffer.from(bytes.subarray(0, place(bytes, random)));

const extend: Mutator = (bytes, random) => {
  const length = 1 + random.below(random.pick([1, 64, 5000]));
  return Buffer.concat([
    bytes,
    random.oneIn(2) ? Buffer.alloc(length) : randomBytes(length, random),
  ]);
};

const insert: Mutator = (bytes, random) =>
  spliced(bytes, place(bytes, random), 0, randomBytes(1 + random.below(16), random));

const remove: Mutator = (bytes, random) => {
  const [start, end] = range(bytes, random);
  return spliced(bytes, start, end - start, Buffer.alloc(0));
};

const duplicate: Mutator = (bytes, random) => {
  const [start, end] = range(bytes, random);
  return spliced(bytes, end, 0, bytes.subarray(start, end));
};

/** What a disk does to a file. */
const DISK_MUTATORS: readonly Mutator[] = [
  flipBits,
  flipBits,
  setByte,
  zeroRange,
  zeroTail,
  overwriteRange,
  copyRange,
  truncate,
  extend,
  insert,
  remove,
];

/** What happens to a stream of bytes. */
const STREAM_MUTATORS: readonly Mutator[] = [
  flipBits,
  setByte,
  overwriteRange,
  copyRange,
  truncate,
  insert,
  remove,
  duplicate,
];

export function damageFile(bytes: Buffer, random: Prng): Buffer {
  return random.pick(DISK_MUTATORS)(bytes, random);
}

/** One to four changes; with `tokens`, pieces of the language among them. */
export function mutateStream(bytes: Buffer, random: Prng, tokens: readonly string[] = []): Buffer {
  let mutated = bytes;
  for (let count = 1 + random.below(4); count > 0; count--) {
    if (tokens.length > 0 && random.oneIn(2)) {
      const token = Buffer.from(random.pick(tokens), "latin1");
      mutated = spliced(mutated, place(mutated, random), random.below(token.length + 1), token);
    } else {
      mutated = random.pick(STREAM_MUTATORS)(mutated, random);
    }
  }
  return mutated;
}

/** Cut into pieces at random. */
export function piecesOf(bytes: Buffer, random: Prng): Buffer[] {
  const pieces: Buffer[] = [];
  const longest = random.pick([1, 7, 100, 2000, bytes.length + 1]);
  for (let at = 0; at < bytes.length;) {
    const length = 1 + random.below(longest);
    pieces.push(Buffer.from(bytes.subarray(at, at + length)));
    at += length;
  }
  return pieces;
}
