import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { FileSystemSnapshotStore } from "../../src/disk/file-snapshot-store.ts";
import { FaultFileSystem } from "./fault-file-system.ts";
import { directory, entries, hardState, open } from "./log-fixtures.ts";
import { commit, metaAt } from "./snapshot-store-suite.ts";

/** SHA-256 over names and bytes, made by the version before encryption at rest. */
const expectedHash = "5aa3fb23a92a017b2e6d897f3f939d9a24814182bf42b98b31f7d50d5ab78df5";

it("S40: without encryption every byte of log and snapshot is what it was before there was any", async () => {
  const disk = new FaultFileSystem();
  const { log } = open(disk);
  for (let index = 1; index <= 12; index += 1) {
    log.append({ hardState: hardState(index), entries: entries(index, 1, index, 700) });
    log.sync();
    log.prepare();
  }
  log.reset({ index: 40, term: 12 });
  log.append({ hardState: null, entries: entries(41, 2, 12, 90) });
  log.sync();
  log.close();
  const snapshots = "/data/snapshots";
  const opened = FileSystemSnapshotStore.open(disk, {
    directory: snapshots,
    clusterId: "cluster",
    groupId: 0,
    schedule: (run) => setImmediate(run),
  });
  const configuration = { voters: ["a"], votersOutgoing: [], learners: [], learnersNext: [] };
  const sink = opened.create({ ...metaAt(40, 12), configuration });
  sink.write(new Uint8Array(300_000).fill(3), () => undefined);
  expect(await commit(sink)).toBeNull();
  const hash = createHash("sha256");
  for (const each of [directory, snapshots]) {
    for (const name of disk.list(each)) {
      hash.update(name);
      hash.update(disk.contents(`${each}/${name}`));
    }
  }
  expect(hash.digest("hex")).toBe(expectedHash);
});
