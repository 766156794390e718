/**
 * Promises broken on purpose, when the clients have stopped and before anything is checked: a run with one of them has to
 * fail, or its checkers look at nothing.
 */
import { RespError } from "../e2e/harness/resp-client.ts";
import { ChaosError } from "./errors.ts";
import type { History } from "./clients/history.ts";
import { isWrite, type Operation } from "./clients/operation.ts";
import type { Machines } from "./machines.ts";

/** Says what it has done. */
export type Canary = (machines: Machines, history: History) => Promise<string>;

export const CANARIES: Readonly<Record<string, Canary | undefined>> = {
  "lost-write": async (machines, history) => {
    const { key, call } = lastAppend(history);
    const token = call.kind === "append" ? `${call.token},` : "";
    const value = await ask(machines, "GET", key);
    await ask(machines, "SET", key, value.replace(token, ""));
    return `the acknowledged token ${token} is taken out of ${key}`;
  },
  "doubled-write": async (machines, history) => {
    const { key, call } = lastAppend(history);
    const token = call.kind === "append" ? `${call.token},` : "";
    await ask(machines, "APPEND", key, token);
    return `the acknowledged token ${token} is appended to ${key} once more`;
  },
  "lost-element": async (machines, history) => {
    const { key } = last(history, (each) => each.model === "set" && each.outcome === "ok");
    await ask(machines, "DEL", key);
    return `the acknowledged element ${key} is deleted`;
  },
  "lost-increment": async (machines, history) => {
    const { key } = last(history, (each) => each.model === "counter" && each.outcome === "ok");
    const { operations } = history;
    const counted = operations.filter((each) => each.key === key && each.outcome === "ok");
    await ask(machines, "SET", key, String(counted.filter(isWrite).length - 1));
    return `${key} is set to one less than was acknowledged`;
  },
  "stale-read": (_machines, history) => {
    const read = last(history, (each) => {
      return isLinearizableRead(each) && hasWriteBefore(history, each);
    });
    read.result = null;
    return Promise.resolve(`a linearizable read of ${read.key} is said to have found nothing`);
  },
};

function lastAppend(history: History): Operation {
  return last(history, (each) => each.call.kind === "append" && each.outcome === "ok");
}

function isLinearizableRead({ model, call, outcome, consistency }: Operation): boolean {
  const isRead = model === "register" && call.kind === "read" && outcome === "ok";
  return isRead && consistency === "linearizable";
}

function hasWriteBefore(history: History, read: Operation): boolean {
  return history.operations.some((each) => {
    const isAcknowledged = each.key === read.key && isWrite(each) && each.outcome === "ok";
    return isAcknowledged && each.returnedAt! < read.calledAt;
  });
}

function last(history: History, fits: (operation: Operation) => boolean): Operation {
  const operation = history.operations.findLast(fits);
  if (operation !== undefined) return operation;
  throw new ChaosError("notPossible", "the run was too short for this canary");
}

async function ask(machines: Machines, ...words: readonly string[]): Promise<string> {
  const reply = await machines.cluster.call(0, ...words);
  if (typeof reply === "string" || typeof reply === "number") return String(reply);
  const why = reply instanceof RespError ? reply.text : "no value";
  throw new ChaosError("notPossible", `${words[0]}: ${why}`);
}
