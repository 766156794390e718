import { describe, expect, it } from "vitest";
import { writeFileDurably } from "../../src/disk/durable-file.ts";
import { FaultFileSystem } from "./fault-file-system.ts";
import { SeededRandom } from "./seeded-random.ts";

const path = "/data/identity";
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

function succeeds(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

describe("a file that is written durably", () => {
  it("has the old or the new contents after a crash at any step", () => {
    const seen: Set<string> = new Set();
    for (let seed = 0; seed < 30; seed += 1) {
      for (let steps = 0; steps < 6; steps += 1) {
        const disk = new FaultFileSystem();
        writeFileDurably(disk, path, bytes("old"));
        disk.stepsLeft = steps;
        const returned = succeeds(() => writeFileDurably(disk, path, bytes("new contents")));
        expect(returned || disk.stepsLeft === 0).toBe(true);
        disk.crash(new SeededRandom(seed));
        const found = text(disk.contents(path));
        seen.add(found);
        expect(returned ? ["new contents"] : ["old", "new contents"]).toContain(found);
        writeFileDurably(disk, path, bytes("third"));
        expect(text(disk.contents(path))).toBe("third");
      }
    }
    expect(seen.size).toBe(2);
  });

  it("keeps the old contents when there is no room", () => {
    const disk = new FaultFileSystem();
    writeFileDurably(disk, path, bytes("old"));
    disk.capacityBytes = disk.usedBytes();
    expect(() => writeFileDurably(disk, path, bytes("new"))).toThrow("ENOSPC");
    expect(text(disk.contents(path))).toBe("old");
  });
});
