/**
 * Any damage to any history (R42, R58): what a repaired node keeps is true, what it owes is enough, its vote is the one
 * it gave, and no byte is deleted. The histories are random and everything in them was acknowledged.
 */
import type { LogPosition } from "@ferrite/raft";
import { describe, expect, it } from "vitest";
import { StorageError } from "../../src/disk/errors.ts";
import type { RepairPlaces } from "../../src/disk/repair-plan.ts";
import { FaultFileSystem } from "./fault-file-system.ts";
import { modes, plain } from "./log-fixtures.ts";
import {
  liveThrough,
  placesWith,
  snapshotDirectory,
  startRepairing,
  voteFile,
  type History,
  type Start,
} from "./repair-fixtures.ts";
import { SeededRandom } from "./seeded-random.ts";

const rounds = Number(process.env["FERRITE_REPAIR_ROUNDS"] ?? 60);
const crashRounds = 12;

type Damager = (disk: FaultFileSystem, random: SeededRandom) => string;

/** Files that hold something, the vote file left alone. */
function damageable(disk: FaultFileSystem): string[] {
  return ["/data/log", snapshotDirectory]
    .flatMap((directory) => disk.list(directory).map((name) => `${directory}/${name}`))
    .filter((path) => disk.contents(path).some((byte) => byte !== 0));
}

function pick<T>(random: SeededRandom, list: readonly T[]): T {
  return list[random.between(0, list.length - 1)];
}

function writtenBytes(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}

const damagers: Record<string, Damager> = {
  "a bit flips": (disk, random) => {
    const path = pick(random, damageable(disk));
    const bytes = disk.contents(path);
    const at = random.between(0, writtenBytes(bytes) - 1);
    bytes[at] ^= 1 << random.between(0, 7);
    return `bit at ${at} of ${path}`;
  },
  "several bits flip": (disk, random) =>
    Array.from({ length: random.between(2, 5) }, () =>
      damagers["a bit flips"](disk, random),
    ).join(),
  "a stretch is overwritten": (disk, random) => {
    const path = pick(random, damageable(disk));
    const bytes = disk.contents(path);
    const at = random.between(0, writtenBytes(bytes) - 1);
    bytes.set(random.bytes(Math.min(random.between(1, 700), bytes.length - at)), at);
    return `from ${at} of ${path}`;
  },
  "a file becomes shorter": (disk, random) => {
    const path = pick(random, damageable(disk));
    const bytes = disk.contents(path);
    const keep = random.between(0, Math.min(bytes.length - 1, writtenBytes(bytes)));
    disk.put(path, bytes.slice(0, keep));
    return `${path} cut to ${keep}`;
  },
  "two files change places": (disk, random) => {
    const [a, b] = [pick(random, damageable(disk)), pick(random, damageable(disk))];
    const [bytesOfA, bytesOfB] = [disk.contents(a).slice(), disk.contents(b).slice()];
    disk.put(a, bytesOfB);
    disk.put(b, bytesOfA);
    return `${a} and ${b} swapped`;
  },
  "a segment or snapshot is gone": (disk, random) => {
    const paths = damageable(disk);
    const segments = paths.filter((path) => path.endsWith(".log"));
    // That a whole log is gone is known from elsewhere: nothing of it is left to tell.
    const path = pick(
      random,
      segments.length > 1 ? paths : paths.filter((each) => each !== segments[0]),
    );
    if (path === undefined) {
      return "nothing gone";
    }
    disk.discard(path);
    return `${path} gone`;
  },
  "a write went to another place of its file": (disk, random) => {
    const path = pick(random, damageable(disk));
    const bytes = disk.contents(path);
    const sectors = Math.ceil(writtenBytes(bytes) / 512);
    const [from, to] = [random.between(0, sectors - 1) * 512, random.between(0, sectors - 1) * 512];
    bytes.set(bytes.slice(from, from + 512).subarray(0, bytes.length - to), to);
    return `sector ${from} over ${to} of ${path}`;
  },
};

function isAtLeast(a: LogPosition, b: LogPosition): boolean {
  return a.term > b.term || (a.term === b.term && a.index >= b.index);
}

/** What must be true of a start on a damaged disk, or a sentence about what is not. */
function wrongWith(start: Start, history: History): string | null {
  const { opened, owed } = start;
  if (opened === null) {
    return null;
  }
  const { entries, hardState } = opened.recovered;
  const trueVote = history.hardState;
  if (hardState === null || hardState.term < (trueVote?.term ?? 0)) {
    return `its term is ${hardState?.term}, it was ${trueVote?.term}`;
  }
  if (hardState.term === trueVote?.term && hardState.vote !== trueVote.vote) {
    return `its vote is ${hardState.vote}, it was ${trueVote.vote}`;
  }
  const { after } = opened;
  const trueAfter = history.entries.slice(after.index);
  const kept = plain(entries);
  if (JSON.stringify(kept) !== JSON.stringify(plain(trueAfter.slice(0, entries.length)))) {
    return "it kept entries that the log did not hold at its end";
  }
  if (hardState.commit > (trueVote?.commit ?? 0)) {
    return "it takes something for committed that was not";
  }
  const lastIndex = Math.max(after.index, entries.at(-1)?.index ?? 0);
  if (hardState.commit > lastIndex && (owed?.floor ?? null) === null) {
    return "it misses what it takes for committed, and owes nothing";
  }
  const last = history.entries.at(-1);
  const end = entries.at(-1) ?? after;
  const isWhole = last === undefined || isAtLeast(end, last);
  if (
    isWhole ||
    (owed !== null && owed.floor !== null && owed.floor !== "lost" && isAtLeast(owed.floor, last))
  ) {
    return null;
  }
  return `it ends at ${end.index}/${end.term}, owes ${JSON.stringify(owed?.floor)}, and once ended at ${last.index}/${last.term}`;
}

/** Bytes of every file that no file holds any more. */
function lostFiles(before: ReadonlyMap<string, string>, disk: FaultFileSystem): string[] {
  const after = new Set(filesOf(disk).values());
  const isData = (path: string): boolean => /\.log|snapshot-/.test(path);
  return [...before]
    .filter(([path, bytes]) => isData(path) && !after.has(bytes))
    .map(([path]) => path);
}

function filesOf(disk: FaultFileSystem): Map<string, string> {
  return new Map(
    disk
      .list("/data")
      .map((name) => [
        `/data/${name}`,
        Buffer.from(disk.contents(`/data/${name}`)).toString("base64"),
      ]),
  );
}

describe.each(modes)("on a $mode disk", ({ encryption }) => {
  describe.each(Object.keys(damagers))("%s", (name) => {
    it.each([
      ["with a vote file", true],
      ["without one, as in a directory from before", false],
    ])(
      "a repaired node keeps what is true and owes what is missing, %s (R42, R58)",
      (_, hasVotes) => {
        const counts = { whole: 0, repaired: 0, uncertain: 0 };
        for (let seed = 1; seed <= rounds; seed += 1) {
          const random = new SeededRandom(seed);
          const places = placesWith(encryption, hasVotes);
          const disk = new FaultFileSystem();
          const history = liveThrough(disk, places, random);
          const what = damagers[name](disk, random);
          const before = filesOf(disk);
          const start = startRepairing(disk, places);
          const wrong = wrongWith(start, history);
          expect(wrong === null ? null : `seed ${seed}, ${what}: ${wrong}`).toBeNull();
          if (start.plan !== null) {
            expect(lostFiles(before, disk), `seed ${seed}, ${what}`).toEqual([]);
            // Repaired once, it is whole, and owes the same at the next start.
            if (start.opened !== null) {
              start.opened.log.close();
              const again = startRepairing(disk, places);
              expect(again.plan, `seed ${seed}, ${what}: repaired twice`).toBeNull();
              expect(again.owed?.floor).toEqual(start.owed?.floor);
              expect(wrongWith(again, history)).toBeNull();
            }
          }
          counts[
            start.plan === null ? "whole" : start.opened === null ? "uncertain" : "repaired"
          ] += 1;
        }
        expect(counts.repaired).toBeGreaterThan(rounds / 20);
        // With both slots of the vote file whole there is always something to go on with.
        if (hasVotes) {
          expect(counts.uncertain).toBe(0);
        }
      },
    );
  });

  it("a crash at any step of a repair leaves a disk that is repaired at the next start (R16)", () => {
    for (let seed = 1; seed <= crashRounds; seed += 1) {
      const random = new SeededRandom(seed);
      const places = placesWith(encryption);
      const whole = new FaultFileSystem();
      const history = liveThrough(whole, places, random);
      const name = pick(random, Object.keys(damagers));
      const what = damagers[name](whole, random);
      if (startRepairing(whole.copy(), places).plan === null) {
        continue;
      }
      for (let steps = 0, isOver = false; !isOver; steps += 1) {
        const disk = whole.copy();
        disk.stepsLeft = steps;
        isOver = !stops(disk, places);
        disk.crash(random);
        const start = startRepairing(disk, places);
        const wrong = wrongWith(start, history);
        expect(
          wrong === null ? null : `seed ${seed}, ${what}, crash at ${steps}: ${wrong}`,
        ).toBeNull();
        expect(start.opened, `seed ${seed}, ${what}, crash at ${steps}`).not.toBeNull();
      }
    }
  });

  it("is certain of a vote by one whole slot, and not when both and the end of the log are damaged (R58)", () => {
    const places = placesWith(encryption);
    const disk = new FaultFileSystem();
    const history = liveThrough(disk, places, new SeededRandom(7));
    for (const damagedSlots of [[0], [1], [0, 1]]) {
      const copy = disk.copy();
      for (const slot of damagedSlots) {
        copy.contents(voteFile)[slot * 512 + 20] ^= 4;
      }
      copy.contents(damageable(copy).findLast((path) => path.endsWith(".log"))!)[3] ^= 4;
      const before = filesOf(copy);
      const start = startRepairing(copy, places);
      expect(start.plan?.damages.length).toBeGreaterThan(0);
      expect(wrongWith(start, history)).toBeNull();
      if (damagedSlots.length === 1) {
        expect(start.opened).not.toBeNull();
      } else {
        expect(start.plan?.kept).toBeNull();
        expect(filesOf(copy)).toEqual(before);
      }
    }
  });
});

/** Whether the machine stopped before the start was over. */
function stops(disk: FaultFileSystem, places: RepairPlaces): boolean {
  try {
    startRepairing(disk, places).opened?.log.close();
    return false;
  } catch (error) {
    const cause = error instanceof StorageError ? error.cause : error;
    if ((cause as { code?: string }).code !== "STOPPED") {
      throw error;
    }
    return true;
  }
}
