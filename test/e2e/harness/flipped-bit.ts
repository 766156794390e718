/**
 * Preloaded into a node's process (NODE_OPTIONS=--import=...), never imported: when the file named by TEST_FLIP_FILE is
 * there, the next walk of the keyspace, a comparison of states, finds one bit of the key "flip-me" changed in this node's memory, as a defect or a
 * bad memory chip would leave it. The program itself knows nothing of it.
 */
import { existsSync, rmSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { Keyspace } from "@ferrite/storage";

const flipFile = process.env["TEST_FLIP_FILE"];
if (flipFile !== undefined && isMainThread) flipBefore(flipFile);

function flipBefore(file: string): void {
  const whole: PropertyDescriptor = Object.getOwnPropertyDescriptor(
    Keyspace.prototype,
    "beginSnapshot",
  )!;
  const begin = whole.value as (this: Keyspace) => ReturnType<Keyspace["beginSnapshot"]>;
  Keyspace.prototype.beginSnapshot = function flipped(this: Keyspace) {
    if (existsSync(file)) {
      rmSync(file);
      const key = Buffer.from("flip-me");
      const ref = this.find(key, 0, key.length, 0);
      this.valueBuffer(ref)[this.valueStart(ref)] ^= 1;
    }
    return begin.call(this);
  };
}
