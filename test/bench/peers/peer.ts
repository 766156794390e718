import { setTimeout as delay } from "node:timers/promises";

import { BenchError } from "../errors.ts";
import { respCall } from "./resp-call.ts";

/** A server or cluster that is measured. */
export interface Peer {
  readonly name: string;
  /** Name and version of the program, for the report. */
  readonly version: string;
  /** Where clients connect, the leader (or master) first. */
  readonly ports: readonly number[];
  /** The same with TLS, where it is spoken. */
  readonly tlsPorts?: readonly number[];
  /** Throws if a process of it has ended. */
  assertRunning(): void;
  stop(): Promise<void>;
}

const POLL_MS = 50;

/** Asks until `check` holds; a refused connection is an answer that does not hold yet. */
export async function waitUntil(
  what: string,
  timeoutMs: number,
  check: () => Promise<boolean>,
): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  let last = "";
  while (Date.now() < deadlineMs) {
    try {
      if (await check()) {
        return;
      }
    } catch (error) {
      if (!(error instanceof BenchError)) {
        throw error;
      }
      last = `: ${error.message}`;
    }
    await delay(POLL_MS);
  }
  throw new BenchError(`${what} did not happen in ${timeoutMs / 1000} s${last}`);
}

/** One field of INFO, such as `used_memory`; empty if it is not there. */
export async function infoField(port: number, section: string, field: string): Promise<string> {
  const text = await respCall(port, "INFO", section);
  const line = text.split("\r\n").find((candidate) => candidate.startsWith(`${field}:`));
  return line?.slice(field.length + 1) ?? "";
}
