import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import type { AtRestKeys } from "../../src/disk/at-rest-keys.ts";
import { writeFileDurably } from "../../src/disk/durable-file.ts";
import { FileSnapshotStore } from "../../src/disk/file-snapshot-store.ts";
import { NodeFileSystem } from "../../src/disk/node-file-system.ts";
import { sealBytes } from "../../src/disk/sealed-bytes.ts";
import { openLog } from "../../src/disk/worker-log-writer.ts";
import { atRestKeys } from "./log-fixtures.ts";
import { closed, noEvents } from "./log-writer-suite.ts";
import { metaAt, store } from "./snapshot-store-suite.ts";

const canary = "canary-4e1b0c7d-in-the-clear";
const vote = "canary-voter-91";
const contents: Uint8Array = Buffer.from(`${canary} `.repeat(50));

/** Log with a value, a vote and a large write, snapshot, one being written, sealed file; then all bytes on the disk. */
async function bytesOnDisk(encryption: AtRestKeys | null): Promise<Buffer> {
  const home = mkdtempSync(`${tmpdir()}/ferrite-canary-`);
  try {
    const owner = { clusterId: "c", groupId: 0, encryption };
    const log = { ...owner, directory: `${home}/log`, segmentBytes: 65_536, ringBytes: 65_536 };
    const { writer } = await openLog(log, noEvents);
    for (const [i, data] of [contents, Buffer.alloc(200_000, contents), contents].entries()) {
      const write = {
        hardState: { term: i + 1, vote, commit: i },
        entries: [{ index: i + 1, term: i + 1, kind: 0 as const, data }],
      };
      await new Promise<void>((resolve) => writer.submit(write, resolve));
    }
    const snapshots = await FileSnapshotStore.open({ ...owner, directory: `${home}/snapshots` });
    const { configuration } = metaAt(2);
    const meta = { ...metaAt(2), configuration: { ...configuration, voters: [vote] } };
    await store(snapshots, meta, Buffer.alloc(600_000, contents));
    const unfinished = snapshots.create({ ...meta, index: 3 });
    await new Promise((resolve) => unfinished.write(contents, resolve));
    if (encryption !== null) {
      const file = { kind: "acl", name: "users.acl", clusterId: null };
      const path = `${home}/users.acl`;
      writeFileDurably(new NodeFileSystem(), path, sealBytes(encryption, file, contents));
    }
    await closed(writer);
    const files = readdirSync(home, { recursive: true, withFileTypes: true });
    return Buffer.concat(
      files
        .filter((file) => file.isFile())
        .map((file) => readFileSync(`${file.parentPath}/${file.name}`)),
    );
  } finally {
    rmSync(home, { recursive: true });
  }
}

describe("what an encrypted data directory shows", () => {
  it("S40: no value, no vote and no key is in any file of it", async () => {
    const bytes = await bytesOnDisk(atRestKeys);
    expect(bytes.length).toBeGreaterThan(900_000);
    expect(bytes.includes(canary)).toBe(false);
    expect(bytes.includes(vote)).toBe(false);
    expect(bytes.includes(Buffer.from(atRestKeys.current.bytes))).toBe(false);
  });

  it("canary: without encryption both are found", async () => {
    const bytes = await bytesOnDisk(null);
    expect(bytes.includes(canary)).toBe(true);
    expect(bytes.includes(vote)).toBe(true);
  });
});
