import { describe, expect, it } from "vitest";
import { StorageError } from "../../src/disk/errors.ts";
import { VoteFile, readVotes } from "../../src/disk/vote-file.ts";
import type { Vote, VoteFileOptions } from "../../src/disk/vote-slot-format.ts";
import { FaultFileSystem } from "./fault-file-system.ts";
import { clusterId, entries, keysOf, modes, open, storageErrorOf } from "./log-fixtures.ts";
import { SeededRandom } from "./seeded-random.ts";

const path = "/data/votes";

describe.each(modes)("the vote file on a $mode disk", ({ encryption }) => {
  const random = new SeededRandom(1);
  const options: VoteFileOptions = {
    path,
    clusterId,
    groupId: 0,
    encryption,
    randomBytes: (length) => random.bytes(length),
  };

  function withVotes(votes: readonly Vote[]): FaultFileSystem {
    const disk = new FaultFileSystem();
    VoteFile.settle(disk, options, { term: 0, vote: null });
    const file = VoteFile.resume(disk, options);
    for (const vote of votes) {
      file.note({ ...vote, commit: 7 });
    }
    file.close();
    return disk;
  }

  it("tells the newest vote, and writes nothing when it is told the same again", () => {
    const disk = withVotes([
      { term: 1, vote: "a" },
      { term: 2, vote: null },
      { term: 2, vote: "b" },
    ]);
    expect(readVotes(disk, options).vote).toEqual({ term: 2, vote: "b" });
    const before = disk.fileSyncs;
    const file = VoteFile.resume(disk, options);
    file.note({ term: 2, vote: "b", commit: 99 });
    expect(disk.fileSyncs).toBe(before);
  });

  it("R58: a changed byte anywhere in it takes no vote", () => {
    const disk = withVotes([
      { term: 1, vote: "a" },
      { term: 5, vote: "c" },
    ]);
    for (let at = 0; at < 1024; at += 1) {
      const copy = disk.copy();
      copy.contents(path)[at] ^= 0x10;
      expect(readVotes(copy, options).vote, `byte ${at}`).toEqual({ term: 5, vote: "c" });
      VoteFile.settle(copy, options, { term: 5, vote: "c" });
      expect(readVotes(copy, options).slots.every((slot) => slot !== null)).toBe(true);
    }
  });

  it("R16: a crash while it is written leaves the old vote or the new one, whatever arrived", () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const crash = new SeededRandom(seed);
      const disk = withVotes([{ term: 3, vote: "a" }]);
      const file = VoteFile.resume(disk, options);
      disk.stepsLeft = crash.between(0, 1);
      expect(() => file.note({ term: 4, vote: "b", commit: 0 })).toThrow("STOPPED");
      disk.crash(crash);
      const { vote } = readVotes(disk, options);
      expect([3, 4]).toContain(vote?.term);
      expect(vote?.vote).toBe(vote?.term === 3 ? "a" : "b");
    }
  });

  it("R16: a crash while a damaged slot is healed never leaves both broken", () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const crash = new SeededRandom(seed);
      const disk = withVotes([{ term: 3, vote: "a" }]);
      disk.contents(path)[crash.between(0, 1023)] ^= 1;
      disk.stepsLeft = crash.between(0, 4);
      try {
        VoteFile.settle(disk, options, { term: 3, vote: "a" });
      } catch (error) {
        expect((error as { code?: string }).code).toBe("STOPPED");
      }
      disk.crash(crash);
      expect(readVotes(disk, options).vote).toEqual({ term: 3, vote: "a" });
    }
  });

  it("takes the later of two slots when an old one was put back", () => {
    const disk = withVotes([{ term: 3, vote: "a" }]);
    const old = disk.contents(path).slice(0, 512);
    const file = VoteFile.resume(disk, options);
    file.note({ term: 9, vote: "b", commit: 0 });
    disk.contents(path).set(old, 512);
    expect(readVotes(disk, options).vote).toEqual({ term: 9, vote: "b" });
  });

  it("is refused by another cluster and by a program that does not know its version", () => {
    const disk = withVotes([{ term: 3, vote: "a" }]);
    const codeOf = (other: Partial<VoteFileOptions>): string =>
      storageErrorOf(() => readVotes(disk, { ...options, ...other })).code;
    expect(codeOf({ clusterId: "another" })).toBe("foreignCluster");
    expect(codeOf({ groupId: 4 })).toBe("foreignGroup");
  });

  it("keeps a vote that a crash kept from the log, and the log goes on with it", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk, { encryption, voteFile: path });
    log.append({ entries: entries(1, 2), hardState: { term: 1, vote: "a", commit: 0 } });
    log.sync();
    log.append({ entries: [], hardState: { term: 2, vote: "b", commit: 1 } });
    // The vote file is written and synced; the record is not.
    disk.stepsLeft = 2;
    expect(storageErrorOf(() => log.sync()).code).toBe("deviceFailed");
    disk.stepsLeft = null;
    const again = open(disk, { encryption, voteFile: path });
    expect(again.recovered.hardState).toEqual({ term: 2, vote: "b", commit: 0 });
    expect(again.recovered.entries).toHaveLength(2);
  });

  it("is made for a directory from before it, with what the log says", () => {
    const disk = new FaultFileSystem();
    const before = open(disk, { encryption });
    before.log.append({ entries: [], hardState: { term: 6, vote: "c", commit: 0 } });
    before.log.sync();
    before.log.close();
    open(disk, { encryption, voteFile: path }).log.close();
    expect(readVotes(disk, options).vote).toEqual({ term: 6, vote: "c" });
  });

  it("refuses a start when it holds a vote and there is no log", () => {
    const disk = withVotes([{ term: 3, vote: "a" }]);
    const error = storageErrorOf(() => open(disk, { encryption, voteFile: path }));
    expect(error.code).toBe("segmentMissing");
    expect(error.message).toContain("term 3");
  });
});

describe("the vote file and its keys", () => {
  const options = (keys: VoteFileOptions["encryption"]): VoteFileOptions => ({
    path,
    clusterId,
    groupId: 0,
    encryption: keys,
    randomBytes: (length) => new Uint8Array(length).fill(length),
  });

  it("opens with the current key alone after a change of keys", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk, { encryption: keysOf(1), voteFile: path });
    log.append({ entries: [], hardState: { term: 2, vote: "a", commit: 0 } });
    log.sync();
    log.useKeys(keysOf(2));
    const only = { ...keysOf(2), older: [] };
    expect(readVotes(disk, options(only)).vote).toEqual({ term: 2, vote: "a" });
    expect(storageErrorOf(() => readVotes(disk, options(keysOf(1)))).code).toBe("missingKey");
  });

  it("is encrypted at the next opening once encryption is on, and a plain one is refused after that", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk, { voteFile: path });
    log.append({ entries: [], hardState: { term: 2, vote: "a", commit: 0 } });
    log.sync();
    log.close();
    const plainFile = disk.contents(path).slice();
    open(disk, { encryption: keysOf(1, { acceptsPlainFiles: true }), voteFile: path }).log.close();
    expect(Buffer.from(disk.contents(path)).includes("\u0001\u0000a")).toBe(false);
    expect(readVotes(disk, options(keysOf(1))).vote).toEqual({ term: 2, vote: "a" });
    disk.put(path, plainFile);
    expect(storageErrorOf(() => readVotes(disk, options(keysOf(1)))).code).toBe("notEncrypted");
    expect(() => readVotes(disk, options(null))).not.toThrow(StorageError);
  });
});
