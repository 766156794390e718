/** Rewriting on a real disk: log, snapshots and a sealed file of a made-up node. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EntryKind, type SnapshotMeta } from "@ferrite/raft";
import {
  FileSnapshotStore,
  NodeFileSystem,
  openLog,
  openSealedBytes,
  sealBytes,
  type AtRestKey,
  type AtRestKeys,
  type KeyedLogWriter,
  type SnapshotSink,
  type SnapshotStore,
} from "@ferrite/storage";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { copySnapshot } from "../../src/at-rest/copy-snapshot.ts";
import { isCurrent, type DiskFile } from "../../src/at-rest/disk-files.ts";
import { NodeDisk, placesIn } from "../../src/at-rest/node-disk.ts";
import { TrackedSnapshots } from "../../src/at-rest/tracked-snapshots.ts";
import { temporaryDirectory } from "../access/temporary-directory.ts";

const CLUSTER = { clusterId: "cluster-1", groupId: 0 };
const SEALED = { kind: "acl", name: "acl.conf", clusterId: CLUSTER.clusterId };
const CANARY = "canary-on-disk-55b1";

function newKey(id: number): AtRestKey {
  return { id, bytes: Uint8Array.from(randomBytes(32)) };
}

function keysOf(current: AtRestKey, older: readonly AtRestKey[], plain = false): AtRestKeys {
  return { nodeId: "node-1", current, older, acceptsPlainFiles: plain };
}

function metaAt(index: number): SnapshotMeta {
  const configuration = { voters: ["node-1"], votersOutgoing: [], learners: [], learnersNext: [] };
  return { index, term: 1, configuration, sizeBytes: 0 };
}

/** A snapshot of which a part is on the disk. */
async function begun(
  store: SnapshotStore,
  meta: SnapshotMeta,
  part: Buffer = Buffer.from("part"),
): Promise<SnapshotSink> {
  const sink = store.create(meta);
  await new Promise<void>((resolve, reject) => {
    sink.write(part, (error) => (error === null ? resolve() : reject(error)));
  });
  return sink;
}

async function takeSnapshot(store: SnapshotStore, meta: SnapshotMeta, body: Buffer): Promise<void> {
  const sink = await begun(store, meta, body);
  await new Promise<void>((resolve, reject) => {
    sink.commit((error) => (error === null ? resolve() : reject(error)));
  });
}

function read(store: SnapshotStore, meta: SnapshotMeta, lengthBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    store.read(meta, { offsetBytes: 0, lengthBytes }, (error, bytes) => {
      if (error === null) resolve(bytes);
      else reject(error);
    });
  });
}

interface World {
  readonly directory: string;
  readonly disk: NodeDisk;
  readonly log: KeyedLogWriter;
  readonly snapshots: TrackedSnapshots;
  readonly state: { last: number; applied: number; taken: number };
  readonly append: (index: number) => Promise<void>;
}

async function world(keys: AtRestKeys | null): Promise<World> {
  const directory = temporaryDirectory();
  return await open(directory, keys);
}

async function open(directory: string, encryption: AtRestKeys | null): Promise<World> {
  const { logDirectory, snapshotDirectory } = placesIn(directory);
  const snapshots = new TrackedSnapshots(
    await FileSnapshotStore.open({ ...CLUSTER, directory: snapshotDirectory, encryption }),
  );
  const latest = snapshots.latest();
  const { writer: log, recovered } = await openLog(
    {
      ...CLUSTER,
      directory: logDirectory,
      segmentBytes: 65_536,
      encryption,
      after: { index: latest?.index ?? 0, term: latest?.term ?? 0 },
    },
    { onFailure: (error) => expect.unreachable(error.message), onSpace: () => undefined },
  );
  onTestFinished(() => closed(log));
  const last = recovered.entries.at(-1)?.index ?? latest?.index ?? 0;
  const state = { last, applied: last, taken: 0 };
  const disk = new NodeDisk({
    fileSystem: new NodeFileSystem(),
    dataDirectory: directory,
    sealedFiles: [join(directory, "acl.conf")],
    log,
    snapshots,
    state: {
      lastIndex: () => state.last,
      appliedIndex: () => state.applied,
      takeSnapshot: () => {
        state.taken += 1;
      },
    },
    onFailed: (error) => expect.unreachable(error.message),
  });
  return {
    directory,
    disk,
    log,
    snapshots,
    state,
    append: (index) =>
      new Promise((resolve) => {
        const data = Buffer.from(`${CANARY} ${index}`);
        const entry = { index, term: 1, kind: EntryKind.Normal, data };
        log.submit({ hardState: null, entries: [entry] }, () => {
          state.last = index;
          state.applied = index;
          resolve();
        });
      }),
  };
}

function closed(log: KeyedLogWriter): Promise<void> {
  return new Promise((resolve) => log.close(resolve));
}

async function close({ log }: World): Promise<void> {
  await closed(log);
}

function hasCanary(directory: string): boolean {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .some((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(CANARY));
}

describe("the disk of a node that is switched to encryption", () => {
  it("asks for a snapshot of what its plain segments hold, and not before all of it is agreed", async () => {
    const keys = keysOf(newKey(1), [], true);
    const before = await world(null);
    await before.append(1);
    await close(before);
    const { disk, state, append } = await open(before.directory, keys);
    await append(2);
    disk.useKeys(keys);
    await disk.roll();
    const plain = disk.list().filter((file) => !file.encrypted);
    expect(plain.map(({ path }) => path)).toEqual([expect.stringMatching(/001\.log$/)]);
    state.applied = 1;
    disk.renew(plain);
    expect(state.taken).toBe(0);
    state.applied = 2;
    disk.renew(plain);
    expect(state.taken).toBe(1);
  });

  it("asks for a later snapshot while a plain segment holds entries that were taken back", async () => {
    const keys = keysOf(newKey(1), [], true);
    const before = await world(null);
    for (const index of [1, 2, 3, 2]) await before.append(index);
    await close(before);
    const { disk, state, snapshots, append } = await open(before.directory, keys);
    expect(state.last).toBe(2);
    disk.useKeys(keys);
    await disk.roll();
    const plain = (): readonly DiskFile[] => disk.list().filter((file) => !file.encrypted);
    await takeSnapshot(snapshots, metaAt(2), Buffer.from("body"));
    disk.renew(plain());
    disk.renew(plain());
    expect(state.taken).toBe(0);
    await append(3);
    expect(plain()).toHaveLength(1);
    disk.renew(plain());
    expect(state.taken).toBe(1);
    await takeSnapshot(snapshots, metaAt(3), Buffer.from("body"));
    await vi.waitFor(() => {
      disk.renew(plain());
      expect(plain()).toEqual([]);
    });
    expect(state.taken).toBe(1);
  });

  it("copies the newest snapshot where nothing was written since, and drops the log before it (S40)", async () => {
    const body = Buffer.from(`${CANARY} `.repeat(100_000));
    const before = await world(null);
    await before.append(1);
    await takeSnapshot(before.snapshots, metaAt(1), body);
    await close(before);
    expect(hasCanary(before.directory)).toBe(true);

    const keys = keysOf(newKey(1), [], true);
    const { disk, snapshots, state, directory } = await open(before.directory, keys);
    disk.useKeys(keys);
    await disk.roll();
    await vi.waitFor(() => {
      const plain = disk.list().filter((file) => !file.encrypted);
      disk.renew(plain);
      expect(plain).toEqual([]);
    });
    expect(state.taken).toBe(0);
    expect(hasCanary(directory)).toBe(false);
    expect(Buffer.from(await read(snapshots, metaAt(1), body.length))).toEqual(body);
  });
});

describe("the disk of a node whose key is changed", () => {
  it("wraps every file anew in its place, the sealed one too, and all of it opens with the new key alone (S40)", async () => {
    const [old, fresh] = [newKey(1), newKey(2)];
    const node = await world(keysOf(old, []));
    const body = Buffer.from(`${CANARY} `.repeat(1000));
    await node.append(1);
    await takeSnapshot(node.snapshots, metaAt(1), body);
    await node.append(2);
    const aclFile = join(node.directory, "acl.conf");
    writeFileSync(aclFile, sealBytes(keysOf(old, []), SEALED, Buffer.from("user default")));
    const keys = keysOf(fresh, [old]);
    node.disk.useKeys(keys);
    await node.disk.roll();
    const left = node.disk.list().filter((file) => !isCurrent(file, fresh.id));
    expect(left).toHaveLength(3);
    await node.disk.rewrap(left, keys);
    expect(node.disk.list().every((file) => isCurrent(file, fresh.id))).toBe(true);
    await node.append(3);
    await close(node);

    const only = keysOf(fresh, []);
    const after = await open(node.directory, only);
    expect(after.state.last).toBe(3);
    expect(Buffer.from(await read(after.snapshots, metaAt(1), body.length))).toEqual(body);
    const contents = openSealedBytes(only, { ...SEALED, path: aclFile }, readFileSync(aclFile));
    expect(Buffer.from(contents).toString()).toBe("user default");
    await expect(open(node.directory, keysOf(old, []))).rejects.toThrow(/node key 2/);
  });

  it("leaves an ACL file alone that somebody wrote by hand", async () => {
    const { disk, directory } = await world(keysOf(newKey(1), []));
    writeFileSync(join(directory, "acl.conf"), "user default on\n");
    expect(disk.list().every((file) => file.encrypted)).toBe(true);
  });

  it("says what a file is that can not be wrapped anew", async () => {
    const node = await world(keysOf(newKey(1), []));
    await node.append(1);
    const stranger = keysOf(newKey(2), []);
    await expect(node.disk.rewrap(node.disk.list(), stranger)).rejects.toThrow(
      /encrypted with node key 1, which this node does not have/,
    );
  });

  it("knows of a snapshot that is still being written under the earlier key, until it ends", async () => {
    const [old, fresh] = [newKey(1), newKey(2)];
    const { disk, directory, snapshots } = await world(keysOf(old, []));
    const given = await begun(snapshots, metaAt(1));
    const kept = snapshots.create(metaAt(2));
    expect(disk.hasEarlierWork()).toBe(false);
    disk.useKeys(keysOf(fresh, [old]));
    expect(disk.hasEarlierWork()).toBe(true);
    given.abort();
    expect(disk.hasEarlierWork()).toBe(true);
    await new Promise<void>((resolve, reject) => {
      kept.commit((error) => (error === null ? resolve() : reject(error)));
    });
    expect(disk.hasEarlierWork()).toBe(false);
    (await begun(snapshots, metaAt(3))).abort();
    expect(disk.hasEarlierWork()).toBe(false);
    await expect.poll(() => readdirSync(join(directory, "snapshots"))).toHaveLength(1);
  });
});

describe("a copy of a snapshot", () => {
  it("leaves the snapshot as it is when it can not be made", async () => {
    const { snapshots } = await world(null);
    await takeSnapshot(snapshots, metaAt(1), Buffer.from("body"));
    await expect(copySnapshot(snapshots, metaAt(7))).rejects.toThrow(/no snapshot at index 7/);
    expect(Buffer.from(await read(snapshots, metaAt(1), 10)).toString()).toBe("body");
  });
});
