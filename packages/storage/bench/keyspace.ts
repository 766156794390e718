/**
 * Micro benchmark of the keyspace: `node --conditions=@ferrite/source packages/storage/bench/keyspace.ts [keys]`.
 *
 * 16-byte keys, 64-byte values, random order. Prints ns per operation, bytes per key, the longest gaps of ticks of 50
 * operations without and with a snapshot running, the longest snapshot slice, and the time of a restore. Numbers of one
 * run on a shared machine: compare runs that alternate.
 */
import { performance } from "node:perf_hooks";
import { Keyspace } from "../src/keyspace/keyspace.ts";

const KEY_BYTES = 16;
const VALUE_BYTES = 64;
const NOW_MS = 1_800_000_000_000;
const TICK_OPERATIONS = 50;
const TICKS = 40_000;
const SLICE = { slots: 1000, bytes: 256 * 1024 };

const keyCount = Number(process.argv[2] ?? 1_000_000);
const line = Buffer.alloc(KEY_BYTES + VALUE_BYTES, 0x76);
let randomState = 12345;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function randomBelow(end: number): number {
  randomState = (Math.imul(randomState, 1664525) + 1013904223) >>> 0;
  return Math.floor((randomState / 2 ** 32) * end);
}

function writeKey(number: number): void {
  let rest = number;
  for (let at = KEY_BYTES - 1; at >= 4; at -= 1) {
    line[at] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

function shuffled(): Uint32Array {
  const order = Uint32Array.from({ length: keyCount }, (_, number) => number);
  for (let at = keyCount - 1; at > 0; at -= 1) {
    const other = randomBelow(at + 1);
    const kept = order[at];
    order[at] = order[other]!;
    order[other] = kept;
  }
  return order;
}

function measure(name: string, order: Uint32Array, work: () => void): void {
  const startMs = performance.now();
  for (let at = 0; at < order.length; at += 1) {
    writeKey(order[at]);
    work();
  }
  const nsPerOperation = ((performance.now() - startMs) * 1e6) / order.length;
  print(`${name.padEnd(28)} ${nsPerOperation.toFixed(0).padStart(6)} ns/op`);
}

function set(keyspace: Keyspace): void {
  keyspace.setStringFast(line, 0, KEY_BYTES, KEY_BYTES, KEY_BYTES + VALUE_BYTES, 0, NOW_MS);
}

function percentile(sorted: Float64Array, part: number): string {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))].toFixed(3);
}

/** Mixed ticks: 45 % get, 45 % overwrite, 5 % delete, 5 % set; a slice of `snapshot` in each when there is one. */
function ticks(keyspace: Keyspace, withSnapshot: boolean): void {
  const gaps = new Float64Array(TICKS);
  const slices: number[] = [];
  const out = {
    length: 0,
    append(_: Uint8Array, start: number, end: number): void {
      this.length += end - start;
    },
  };
  let snapshot = withSnapshot ? keyspace.beginSnapshot() : null;
  let snapshots = 0;
  let lastMs = performance.now();
  for (let tick = 0; tick < TICKS; tick += 1) {
    for (let operation = 0; operation < TICK_OPERATIONS; operation += 1) {
      writeKey(randomBelow(keyCount));
      const kind = randomBelow(100);
      if (kind < 45) {
        keyspace.find(line, 0, KEY_BYTES, NOW_MS);
      } else if (kind < 95) {
        set(keyspace);
      } else {
        keyspace.remove(line, 0, KEY_BYTES, NOW_MS);
      }
    }
    if (snapshot !== null) {
      out.length = 0;
      const sliceStartMs = performance.now();
      const done = snapshot.step(out, SLICE);
      slices.push(performance.now() - sliceStartMs);
      if (done) {
        snapshots += 1;
        snapshot = keyspace.beginSnapshot();
      }
    }
    const nowMs = performance.now();
    gaps[tick] = nowMs - lastMs;
    lastMs = nowMs;
  }
  snapshot?.cancel();
  gaps.sort();
  const name = withSnapshot ? "ticks with snapshot" : "ticks";
  print(
    `${name.padEnd(28)} p50 ${percentile(gaps, 0.5)} p99 ${percentile(gaps, 0.99)} ` +
      `p99.9 ${percentile(gaps, 0.999)} max ${percentile(gaps, 1)} ms`,
  );
  if (withSnapshot) {
    const sorted = Float64Array.from(slices).toSorted();
    print(
      `${"snapshot slice".padEnd(28)} p50 ${percentile(sorted, 0.5)} p99.9 ` +
        `${percentile(sorted, 0.999)} max ${percentile(sorted, 1)} ms, ` +
        `${snapshots} snapshots`,
    );
  }
}

function restoreTime(keyspace: Keyspace): void {
  const file = Buffer.alloc(keyCount * (KEY_BYTES + VALUE_BYTES + 32) + 1024);
  const out = {
    length: 0,
    append(buffer: Uint8Array, start: number, end: number): void {
      Buffer.prototype.copy.call(buffer, file, this.length, start, end);
      this.length += end - start;
    },
  };
  const snapshot = keyspace.beginSnapshot();
  const snapshotStartMs = performance.now();
  while (!snapshot.step(out, { slots: 1000, bytes: Infinity })) {
    // The whole of it in one go.
  }
  const snapshotMs = performance.now() - snapshotStartMs;
  print(`${"snapshot in one go".padEnd(28)} ${snapshotMs.toFixed(0).padStart(6)} ms`);
  const bytes = file.subarray(0, out.length);
  const restored = new Keyspace({ hashSeed: 7 });
  const startMs = performance.now();
  const restore = restored.restore();
  for (let at = 0; at < bytes.length; at += 256 * 1024) {
    restore.write(bytes.subarray(at, at + 256 * 1024));
  }
  restore.end();
  const nsPerKey = ((performance.now() - startMs) * 1e6) / restored.size;
  print(`${"restore".padEnd(28)} ${nsPerKey.toFixed(0).padStart(6)} ns/key, ${bytes.length} bytes`);
}

const keyspace = new Keyspace({ hashSeed: 7 });
const order = shuffled();
line.write("key:");
measure("set (new)", order, () => set(keyspace));
print(
  `${"bytes per key".padEnd(28)} ${(keyspace.usedBytes / keyCount).toFixed(1)} used, ` +
    `${(keyspace.reservedBytes / keyCount).toFixed(1)} reserved for entries`,
);
measure("get", order, () => {
  if (keyspace.find(line, 0, KEY_BYTES, NOW_MS) === 0) {
    throw new Error("a key is missing");
  }
});
measure("set (overwrite)", order, () => set(keyspace));
ticks(keyspace, false);
ticks(keyspace, true);
restoreTime(keyspace);
measure("delete", order, () => keyspace.remove(line, 0, KEY_BYTES, NOW_MS));
print(`${"left".padEnd(28)} ${keyspace.size} keys, ${keyspace.usedBytes} bytes`);
