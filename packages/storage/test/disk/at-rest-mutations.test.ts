/**
 * Somebody with access to the disk, who knows the format and has no key: changes an encrypted log at random and makes
 * every checksum right again. It is refused with nothing changed, or gives a state the log once had at its end: what
 * can be taken from it is the last writes, put into it nothing.
 */
import { isDeepStrictEqual } from "node:util";
import { expect, it } from "vitest";
import { StorageError } from "../../src/disk/errors.ts";
import { FaultFileSystem } from "./fault-file-system.ts";
import { recordsOf, restampRecord, restampSegment } from "./forging.ts";
import { atRestKeys, directory, entries, hardState, openerOf, plain } from "./log-fixtures.ts";
import { SeededRandom } from "./seeded-random.ts";

const open = openerOf(atRestKeys);
const rounds = 1500;

interface State {
  readonly entries: unknown;
  readonly hardState: unknown;
}

function knownLog(): { readonly disk: FaultFileSystem; readonly states: State[] } {
  const disk = new FaultFileSystem();
  const { log } = open(disk);
  const states: State[] = [{ entries: [], hardState: null }];
  for (let index = 1; index <= 12; index += 1) {
    const sizeBytes = [60, 200, 700][index % 3];
    log.append({ hardState: hardState(index), entries: entries(index, 1, index, sizeBytes) });
    log.sync();
    const { recovered } = open(disk.copy());
    states.push({ entries: plain(recovered.entries), hardState: recovered.hardState });
  }
  log.close();
  return { disk, states };
}

/** One change somewhere in the files. */
function mutate(disk: FaultFileSystem, random: SeededRandom): void {
  const paths = disk.list(directory).map((name) => `${directory}/${name}`);
  const pick = (): string => paths[random.between(0, paths.length - 1)];
  const target = disk.contents(pick());
  const source = disk.contents(pick());
  const place = (): number => 64 * random.between(0, 40) + (random.chance(0.3) ? 48 : 0);
  const at = place();
  const length = [1, 8, 16, 64, 128, 512, 1024][random.between(0, 6)];
  switch (random.between(0, 4)) {
    case 0:
      target[random.between(0, 2600)] ^= 1 << random.between(0, 7);
      return;
    case 1:
      target.fill(0, at, at + length);
      return;
    case 2:
      target.set(source.slice(at, at + length), at);
      return;
    case 3: {
      const from = place();
      target.set(source.slice(from, from + length), at);
      return;
    }
    default:
      target.set(random.bytes(8), Math.min(at + random.between(0, 63), target.length - 8));
  }
}

/** As far as the records can be told apart. */
function restampAll(disk: FaultFileSystem): void {
  for (const name of disk.list(directory)) {
    const segment = disk.contents(`${directory}/${name}`);
    restampSegment(segment);
    const view = new DataView(segment.buffer, segment.byteOffset, segment.length);
    let previous: number | null = null;
    for (const at of recordsOf(segment)) {
      if (at + 64 + view.getUint32(at + 28, true) > segment.length) {
        break;
      }
      if (previous !== null) {
        view.setUint32(at + 44, view.getUint32(previous + 56, true), true);
      }
      restampRecord(segment, at);
      previous = at;
    }
  }
}

it("S40: no change without the key puts anything into an encrypted log, whatever checksums it has", () => {
  const { disk, states } = knownLog();
  const random = new SeededRandom(20_260_101);
  let refused = 0;
  let shortened = 0;
  for (let round = 0; round < rounds; round += 1) {
    const copy = disk.copy();
    const changes = random.between(1, 3);
    for (let i = 0; i < changes; i += 1) {
      mutate(copy, random);
    }
    if (random.chance(0.8)) {
      restampAll(copy);
    }
    const before = copy.copy();
    try {
      const { recovered } = open(copy);
      const state = { entries: plain(recovered.entries), hardState: recovered.hardState };
      expect(
        states.some((known) => isDeepStrictEqual(known, state)),
        `round ${round}`,
      ).toBe(true);
      shortened += isDeepStrictEqual(states.at(-1), state) ? 0 : 1;
    } catch (error) {
      if (!(error instanceof StorageError)) {
        throw error;
      }
      for (const name of before.list(directory)) {
        const path = `${directory}/${name}`;
        expect(Buffer.from(copy.contents(path)).equals(before.contents(path))).toBe(true);
      }
      refused += 1;
    }
  }
  // Else the changes would be harmless, and the test prove nothing.
  expect(refused).toBeGreaterThan(rounds / 2);
  expect(shortened).toBeLessThan(rounds / 10);
});
