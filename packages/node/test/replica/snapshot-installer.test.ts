import type { SnapshotChunk, SnapshotMeta } from "@ferrite/raft";
import type { SnapshotSink, SnapshotStore } from "@ferrite/storage";
import { beforeEach, describe, expect, it } from "vitest";
import { createCommandTable } from "../../src/commands/all-commands.ts";
import { encodeHeader } from "../../src/replica/snapshot-format.ts";
import { SnapshotInstaller } from "../../src/replica/snapshot-installer.ts";
import { StateMachine } from "../../src/replica/state-machine.ts";
import { accessPorts } from "../../src/start/access-ports.ts";

const TABLE = createCommandTable();
const ACCESS = accessPorts(TABLE);
const CONFIGURATION = { voters: [], votersOutgoing: [], learners: [], learnersNext: [] };

function newMachine(): StateMachine {
  return new StateMachine({
    commands: TABLE,
    hashSeed: 1,
    configuration: CONFIGURATION,
    members: [],
    access: ACCESS,
  });
}

/** Holds one snapshot in memory; every step waits until the test lets it go on. */
class StepwiseStore implements SnapshotStore {
  readonly steps: (() => void)[] = [];
  failNextWrite = false;
  #bytes: Buffer = Buffer.alloc(0);

  latest(): SnapshotMeta | null {
    return null;
  }

  create(): SnapshotSink {
    const parts: Uint8Array[] = [];
    return {
      writtenBytes: 0,
      write: (bytes, onWritten) => {
        const error = this.failNextWrite ? new Error("no room") : null;
        this.failNextWrite = false;
        parts.push(bytes);
        this.steps.push(() => onWritten(error));
      },
      commit: (onDurable) => {
        this.#bytes = Buffer.concat(parts);
        this.steps.push(() => onDurable(null));
      },
      abort: () => undefined,
    };
  }

  read(
    _meta: SnapshotMeta,
    range: { readonly offsetBytes: number; readonly lengthBytes: number },
    onRead: (error: Error | null, bytes: Uint8Array) => void,
  ): void {
    const { offsetBytes, lengthBytes } = range;
    this.steps.push(() =>
      onRead(null, this.#bytes.subarray(offsetBytes, offsetBytes + lengthBytes)),
    );
  }

  prune(): void {
    throw new Error("the installer prunes nothing");
  }
}

const SOURCE = newMachine();
const BODY: Buffer = (() => {
  const parts = [encodeHeader(SOURCE.header())];
  const walk = SOURCE.keyspace.beginSnapshot();
  const bytes = {
    length: 0,
    append: (source: Uint8Array, start: number, end: number): void => {
      parts.push(Buffer.from(source.subarray(start, end)));
      bytes.length += end - start;
    },
  };
  while (!walk.step(bytes, { slots: 1024, bytes: 1024 })) continue;
  return Buffer.concat(parts);
})();

let store: StepwiseStore;
let told: string[];
let installer: SnapshotInstaller;

function metaAt(index: number): SnapshotMeta {
  return { index, term: 1, configuration: CONFIGURATION, sizeBytes: BODY.length };
}

function chunk(index: number, range = { from: 0, to: BODY.length }): SnapshotChunk {
  return {
    kind: "snapshotChunk",
    from: "leader",
    to: "follower",
    term: 1,
    meta: metaAt(index),
    offsetBytes: range.from,
    lengthBytes: range.to - range.from,
    done: range.to === BODY.length,
    data: BODY.subarray(range.from, range.to),
  };
}

/** Lets `count` steps of the store happen, or all. */
function letHappen(count = Infinity): void {
  for (let step = 0; step < count; step++) {
    const next = store.steps.shift();
    if (next === undefined) return;
    next();
  }
}

beforeEach(() => {
  store = new StepwiseStore();
  told = [];
  installer = new SnapshotInstaller(store, newMachine, {
    onStored: (meta, nextOffsetBytes) => told.push(`stored ${meta.index} to ${nextOffsetBytes}`),
    onRestored: (meta, machine) => told.push(`restored ${meta.index} at ${machine.appliedIndex}`),
    onFailed: (meta, error) => told.push(`failed ${meta.index}: ${error.message}`),
  });
});

describe("a snapshot that is received", () => {
  it("becomes a state machine at its index once it is whole and durable", () => {
    installer.chunk(chunk(7, { from: 0, to: 5 }));
    installer.chunk(chunk(7, { from: 5, to: BODY.length }));
    letHappen();
    expect(told).toEqual(["stored 7 to 5", "restored 7 at 7"]);
  });

  it("takes nothing's place any more when the node stops while it is restored", () => {
    installer.chunk(chunk(7));
    letHappen(2);
    installer.cancel();
    letHappen();
    expect(told).toEqual([]);
  });

  it("says so when it can not be written, and is received again from its beginning", () => {
    store.failNextWrite = true;
    installer.chunk(chunk(7, { from: 0, to: 5 }));
    letHappen();
    installer.chunk(chunk(7, { from: 5, to: BODY.length }));
    installer.chunk(chunk(7));
    letHappen();
    expect(told).toEqual(["failed 7: no room", "stored 7 to 0", "restored 7 at 7"]);
  });

  it("is given up half received once the log has brought the node as far: it would keep snapshots from being taken", () => {
    installer.chunk(chunk(7, { from: 0, to: 5 }));
    installer.caughtUp(6);
    expect(installer.isReceiving).toBe(true);
    installer.caughtUp(7);
    expect(installer.isReceiving).toBe(false);
    letHappen();
    installer.chunk(chunk(9));
    letHappen();
    expect(told).toEqual(["restored 9 at 9"]);
  });

  it("is not given up any more once its last part is there: the core waits for it", () => {
    installer.chunk(chunk(7));
    installer.caughtUp(9);
    expect(installer.isReceiving).toBe(true);
    letHappen();
    expect(told).toEqual(["restored 7 at 7"]);
  });
});
