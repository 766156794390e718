/** A directory of files, as bytes: taken, damaged, put on disk, compared. */
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Prng } from "../compat/prng.ts";
import { damageFile } from "./mutate.ts";

/** By path below the directory, sorted. */
export type Files = ReadonlyMap<string, Buffer>;

export function readFiles(directory: string): Files {
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" }).toSorted();
  const files = paths.filter((path) => statSync(join(directory, path)).isFile());
  return new Map(files.map((path) => [path, readFileSync(join(directory, path))]));
}

/** Makes the directory anew with exactly these files. */
export function writeFiles(directory: string, files: Files): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  }
}

export interface Damage {
  readonly what: string;
  readonly files: Files;
}

type FilesMutator = (files: Files, random: Prng) => Damage;

const damageOne: FilesMutator = (files, random) => {
  const name = random.pick([...files.keys()]);
  return {
    what: `damaged ${name}`,
    files: new Map([...files, [name, damageFile(files.get(name)!, random)]]),
  };
};

const swapTwo: FilesMutator = (files, random) => {
  const [one, other] = [random.pick([...files.keys()]), random.pick([...files.keys()])];
  return {
    what: `swapped ${one} and ${other}`,
    files: new Map([...files, [one, files.get(other)!], [other, files.get(one)!]]),
  };
};

const copyOver: FilesMutator = (files, random) => {
  const [from, to] = [random.pick([...files.keys()]), random.pick([...files.keys()])];
  return { what: `copied ${from} over ${to}`, files: new Map([...files, [to, files.get(from)!]]) };
};

const removeOne: FilesMutator = (files, random) => {
  const name = random.pick([...files.keys()]);
  return { what: `removed ${name}`, files: new Map([...files].filter(([one]) => one !== name)) };
};

/** Under a name that is none of ours, or that would be the next of ours. */
const copyAside: FilesMutator = (files, random) => {
  const from = random.pick([...files.keys()]);
  const next = from.replace(/\d+/, (digits) =>
    String(Number(digits) + 1 + random.below(files.size)).padStart(digits.length, "0"),
  );
  const to = random.pick([`${from}.bak`, `copy of ${from}`, next, next]);
  return { what: `copied ${from} to ${to}`, files: new Map([...files, [to, files.get(from)!]]) };
};

const MUTATORS = [
  damageOne,
  damageOne,
  damageOne,
  damageOne,
  swapTwo,
  copyOver,
  removeOne,
  copyAside,
];

/** One to three kinds of damage. */
export function damageFiles(files: Files, random: Prng): Damage {
  let damage: Damage = { what: "", files };
  for (let count = random.pick([1, 1, 1, 2, 3]); count > 0 && damage.files.size > 0; count--) {
    const more = random.pick(MUTATORS)(damage.files, random);
    damage = { what: [damage.what, more.what].filter(Boolean).join(", "), files: more.files };
  }
  return damage;
}

export function areSame(one: Files, other: Files): boolean {
  if (one.size !== other.size) return false;
  return [...one].every(([name, bytes]) => other.get(name)?.equals(bytes) === true);
}

/**
 * Whether a byte that was set became zero: only then may the damage look like a write that a crash cut off. A file that
 * is gone or shorter does not look like that.
 */
export function hasLostBytes(before: Files, after: Files): boolean {
  for (const [name, bytes] of before) {
    const now = after.get(name) ?? bytes;
    for (let at = 0; at < Math.min(bytes.length, now.length); at++) {
      if (bytes[at] !== 0 && now[at] === 0) return true;
    }
  }
  return false;
}
