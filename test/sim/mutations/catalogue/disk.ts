/** The log on the disk: what is durable, and what a start makes of what it finds. */
import { inFaults, inScenario, type Mutation } from "../mutation.ts";

const ACTIVE = "packages/storage/src/disk/active-segment.ts";
const LOADING = "packages/storage/src/disk/snapshot-loading.ts";
const OPENING = "packages/storage/src/disk/log-opening.ts";
const READY_WRITES = "packages/node/src/replica/ready-writes.ts";
const RECOVERY = "packages/storage/src/disk/log-recovery.ts";
const SCAN = "packages/storage/src/disk/record-scan.ts";

export const disk: readonly Mutation[] = [
  {
    id: "R14",
    bugs: ["R14"],
    title: "A record that a crash cut off is taken for whole",
    source: "https://github.com/RedisLabs/redisraft/issues/54",
    patches: [
      {
        file: SCAN,
        find: "  return bodyChecksumFits(bytes, at, header) ? header : null;",
        replace:
          "  return bodyChecksumFits(bytes, at, header) || header.bodyBytes > 0 ? header : null;",
      },
    ],
    hunts: [inFaults(60)],
  },
  {
    id: "R25",
    bugs: ["R25"],
    title: "The log is written and not synced",
    source: "https://github.com/etcd-io/etcd/issues/14140",
    patches: [
      {
        file: ACTIVE,
        find: "    this.#handle.write(bytes, this.#endBytes);\n    this.#handle.sync();",
        replace: "    this.#handle.write(bytes, this.#endBytes);",
      },
    ],
    hunts: [inFaults(30)],
  },
  {
    id: "R43",
    bugs: ["R43"],
    title: "What is handed to the log's worker counts as durable at once",
    source: "https://github.com/nats-io/nats-server/issues/7564",
    patches: [
      {
        file: READY_WRITES,
        find: "    this.#log.submit({ hardState, entries }, () => {\n      this.#onTheirWay.shift();\n      this.#events.durable(messages, entries.at(-1));\n    });",
        replace:
          "    this.#log.submit({ hardState, entries }, () => undefined);\n    this.#onTheirWay.shift();\n    this.#events.durable(messages, entries.at(-1));",
      },
    ],
    hunts: [inFaults(30)],
  },
  {
    id: "R43-order",
    bugs: ["R43"],
    title: "An acknowledgement with nothing to write overtakes the write that it speaks of",
    source: "https://github.com/nats-io/nats-server/issues/7564",
    patches: [
      {
        file: READY_WRITES,
        find: "    if (last === undefined) this.#events.durable(messages, undefined);",
        replace: "    if (last !== messages) this.#events.durable(messages, undefined);",
      },
    ],
    hunts: [inFaults(60)],
  },
  {
    id: "R42",
    bugs: ["R42"],
    title: "A snapshot that can not be read is deleted, and the node goes on with what is left",
    source: "https://github.com/nats-io/nats-server/issues/7556",
    patches: [
      {
        file: LOADING,
        find: "    verifySnapshot(fileSystem, {\n",
        replace:
          "    ((...wanted: Parameters<typeof verifySnapshot>) => {\n      try {\n        return verifySnapshot(...wanted);\n      } catch {\n        wanted[0].remove(wanted[1].file);\n        return null;\n      }\n    })(fileSystem, {\n",
      },
      {
        file: LOADING,
        find: "  return snapshots;\n",
        replace: "  return snapshots.filter((snapshot) => snapshot !== null);\n",
      },
      {
        file: RECOVERY,
        find: "    if (this.#firstIndex > this.#afterIndex + 1) {",
        replace: "    if (this.#firstIndex < 0) {",
      },
    ],
    hunts: [inFaults(40)],
  },
  {
    id: "R58",
    bugs: ["R58"],
    title: "A damaged record is cut like a torn tail, with all that was committed behind it",
    source:
      "https://blog.acolyer.org/2018/02/27/protocol-aware-recovery-for-consensus-based-storage/",
    patches: [
      {
        file: SCAN,
        find: "  const later = findRecord(bytes, extentEnd, context);\n",
        replace:
          "  if (extentEnd >= at) return end - at;\n  const later = findRecord(bytes, extentEnd, context);\n",
      },
    ],
    hunts: [inFaults(20)],
  },
  {
    id: "C27",
    bugs: [],
    title: "A record read back after kill -9 is answered for before it is synced",
    source: "Found here by the model test of the log",
    patches: [
      {
        file: OPENING,
        find: "    handle.sync();\n  } catch (error) {",
        replace: "  } catch (error) {",
      },
    ],
    hunts: [inScenario("unsynced-record")],
  },
  {
    id: "C28",
    bugs: [],
    title: "A start forgets that later records overwrite earlier ones",
    source: "Raft paper, 5.3",
    patches: [
      {
        file: RECOVERY,
        find: "    this.#entries.length = Math.max(0, first - this.#afterIndex - 1);",
        replace:
          "    if (first <= this.#lastIndex) return;\n    this.#entries.length = Math.max(0, first - this.#afterIndex - 1);",
      },
    ],
    hunts: [inFaults(60)],
  },
];
