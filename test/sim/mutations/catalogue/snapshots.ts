/** Snapshots: taken, sent, installed, restored, and the log that is cut behind them. */
import { inFaults, inScenario, type Mutation } from "../mutation.ts";

const FORMAT = "packages/node/src/replica/snapshot-format.ts";
const FOLLOWER = "packages/raft/src/follower.ts";
const INSTALLER = "packages/node/src/replica/snapshot-installer.ts";
const KEEPER = "packages/node/src/replica/snapshot-keeper.ts";
const MACHINE = "packages/node/src/replica/state-machine.ts";
const RECEIVER = "packages/raft/src/snapshot-receiver.ts";
const SEGMENTED = "packages/storage/src/disk/segmented-log.ts";
const SINK = "packages/storage/src/disk/file-snapshot-sink.ts";
const TAKER = "packages/node/src/replica/snapshot-taker.ts";

export const snapshots: readonly Mutation[] = [
  {
    id: "R02",
    bugs: ["R02"],
    title: "The keys of a snapshot are not restored: a failover drops them",
    source: "https://github.com/RedisLabs/redisraft/issues/14",
    patches: [
      {
        file: FORMAT,
        find: "      this.#restore.write(bytes);\n      return;",
        replace: "      return;",
      },
      {
        file: FORMAT,
        find: "    if (head.length > 4 + length) this.#restore.write(head.subarray(4 + length));\n",
        replace: "",
      },
      { file: FORMAT, find: "    this.#restore.end();\n", replace: "" },
    ],
    hunts: [inFaults(10)],
  },
  {
    id: "R09",
    bugs: ["R09"],
    title: "Appends are taken while a snapshot takes the place of the log",
    source: "https://github.com/RedisLabs/redisraft/issues/42",
    patches: [
      {
        file: FOLLOWER,
        find: "    this.#hear(request.from);\n    if (this.#receiver.isInstalling()) {",
        replace:
          "    this.#hear(request.from);\n    if (this.#receiver.isInstalling() && request.commit < 0) {",
      },
    ],
    hunts: [inScenario("appends-meanwhile")],
  },
  {
    id: "R28",
    bugs: ["R28"],
    title: "A snapshot that is older than what is committed is installed",
    source: "https://github.com/etcd-io/etcd/issues/18055",
    patches: [
      {
        file: RECEIVER,
        find: "    return meta.index <= this.#state.commitIndex;",
        replace: "    return meta.index < 0;",
      },
    ],
    hunts: [inScenario("old-snapshot")],
  },
  {
    id: "C06",
    bugs: [],
    title: "Chunks of two leaders' snapshots are put together",
    source: "Raft paper, section 7; found here by review",
    patches: [
      {
        file: RECEIVER,
        find: "      this.#term === chunk.term &&\n      isSameSource(this.#source, chunk.source ?? null) &&\n      this.#meta?.index === chunk.meta.index &&\n      this.#meta.sizeBytes === chunk.meta.sizeBytes;\n    if (!same) {",
        replace:
          "      this.#meta !== null;\n    if (same) {\n      this.#meta = chunk.meta;\n      this.#term = chunk.term;\n    } else {",
      },
      {
        file: INSTALLER,
        find: "      incoming.meta.index !== chunk.meta.index ||\n      incoming.meta.term !== chunk.meta.term ||\n",
        replace: "",
      },
    ],
    hunts: [inScenario("two-snapshots")],
  },
  {
    id: "C30",
    bugs: [],
    title: "Chunks of two nodes' snapshots of one position are put together",
    source: "Found here while followers were taught to lend snapshots",
    patches: [
      {
        file: RECEIVER,
        find: "      isSameSource(this.#source, chunk.source ?? null) &&\n",
        replace: "",
      },
    ],
    hunts: [inScenario("lent-snapshot")],
  },
  {
    id: "R10",
    bugs: ["R10"],
    title: "The log is cut before the snapshot that replaces it is on disk",
    source: "https://github.com/RedisLabs/redisraft/issues/43",
    patches: [
      {
        file: KEEPER,
        find: "    const loggedBefore = this.#logBytesSince;\n",
        replace:
          "    const loggedBefore = this.#logBytesSince;\n    this.#ports.log.compact(this.#machine().appliedIndex);\n",
      },
    ],
    hunts: [inScenario("snapshot-and-power")],
  },
  {
    id: "R16",
    bugs: ["R16"],
    title: "A snapshot takes its name before its bytes are on disk",
    source: "https://github.com/RedisLabs/redisraft/issues/654",
    patches: [
      {
        file: SINK,
        find: "    this.#add((file, done) => file.sync(done));\n",
        replace: "",
      },
    ],
    hunts: [inScenario("snapshot-and-power")],
  },
  {
    id: "R16-name",
    bugs: ["R16"],
    title: "The log is cut before the name of the snapshot is on disk",
    source: "https://github.com/RedisLabs/redisraft/issues/654",
    patches: [
      {
        file: SINK,
        find: "(_, done) => this.#files.syncDirectory(this.#target.directory, done),",
        replace: "(_, done) => done(null),",
      },
    ],
    hunts: [inScenario("snapshot-and-power")],
  },
  {
    id: "R22",
    bugs: ["R22"],
    title: "A snapshot says that it holds an entry more than it does",
    source: "https://github.com/etcd-io/etcd/issues/13766",
    patches: [
      {
        file: TAKER,
        find: "      index: machine.appliedIndex,",
        replace: "      index: machine.appliedIndex + 1,",
      },
    ],
    hunts: [inFaults(30)],
  },
  {
    id: "R22-mix",
    bugs: ["R22"],
    title: "A snapshot holds writes that came after its index",
    source: "https://github.com/etcd-io/etcd/issues/13766",
    patches: [
      {
        file: TAKER,
        find: "    this.#walk = machine.keyspace.beginSnapshot();\n    this.#write(encodeHeader(machine.header()));",
        replace:
          "    this.#walk = machine.keyspace.beginSnapshot();\n    const { header } = machine;\n    this.#write(encodeHeader({ ...header.call(machine), sessions: [] }));",
      },
    ],
    hunts: [inFaults(30)],
  },
  {
    id: "R26",
    bugs: ["R26"],
    title: "Compaction removes segments that the snapshot does not cover",
    source: "https://github.com/etcd-io/etcd/issues/14685",
    patches: [
      {
        file: SEGMENTED,
        find: "      while (this.#segments.length > 1 && this.#segments[0].lastIndex <= index) {",
        replace: "      while (index > 0 && this.#segments.length > 1) {",
      },
    ],
    hunts: [inScenario("snapshot-and-power")],
  },
  {
    id: "C25",
    bugs: ["R12"],
    title: "Sessions are not part of what a snapshot restores",
    source: "Thesis, 6.3",
    patches: [
      {
        file: MACHINE,
        find: "    this.sessions.restore(header.sessions);\n",
        replace: "",
      },
    ],
    hunts: [inFaults(30)],
  },
];
