/** Where keys and salts come from. A port: the simulator gives its own, so that a run can be repeated. */
import { randomBytes } from "node:crypto";

/** `count` bytes that nobody can guess. */
export type RandomBytes = (count: number) => Uint8Array;

export const randomBytesOfThisMachine: RandomBytes = (count) => randomBytes(count);
