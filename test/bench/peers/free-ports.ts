import { isFreePort } from "../../e2e/harness/free-ports.ts";
import { BenchError } from "../errors.ts";

/** Below the range from which the system takes ports for outgoing connections. */
const FIRST = 11_000;
const LAST = 20_000;
const ATTEMPTS = 200;

/** A base so that `base + offset` is free on 127.0.0.1 for each offset. */
export async function freePortBase(offsets: readonly number[]): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const base = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (await allFree(offsets.map((offset) => base + offset))) {
      return base;
    }
  }
  throw new BenchError(`found no free ports in ${ATTEMPTS} attempts`);
}

async function allFree(ports: readonly number[]): Promise<boolean> {
  for (const port of ports) {
    if (!(await isFreePort(port))) {
      return false;
    }
  }
  return true;
}
