import type { LogWrite, LogWriter } from "@ferrite/storage";
import { describe, expect, it } from "vitest";
import { FailStop } from "../../src/start/fail-stop.ts";

const DEFECT = new Error("a broken invariant");

/** A replica that throws at payloads, and notes what else it is told. */
function faultyReplica(): { told: string[]; events: Parameters<FailStop["events"]>[0] } {
  const told: string[] = [];
  return {
    told,
    events: {
      onPayload: () => {
        throw DEFECT;
      },
      onConnected: (peer) => told.push(`connected ${peer}`),
      onDisconnected: (peer) => told.push(`disconnected ${peer}`),
    },
  };
}

/** A log that keeps its answers back. */
function slowLog(): { answers: (() => void)[]; writer: LogWriter } {
  const answers: (() => void)[] = [];
  return {
    answers,
    writer: {
      submit: (_write: LogWrite, onDurable) => void answers.push(onDurable),
      reset: (_position, onDurable) => void answers.push(onDurable),
      compact: () => undefined,
      close: (onClosed) => onClosed(),
    },
  };
}

describe("a call into the replica that throws", () => {
  it("does not reach the caller, and is told once", () => {
    const failures: Error[] = [];
    const failStop = new FailStop((error) => failures.push(error));
    const { events } = faultyReplica();
    const guarded = failStop.events(events);
    const query = { kind: "appliedQuery", index: 1 } as const;
    guarded.onPayload("a", query, 0);
    guarded.onPayload("a", query, 0);
    expect(failures).toEqual([DEFECT]);
  });

  it("is the last one: neither links, timers nor the disk reach the replica again", () => {
    const failStop = new FailStop(() => undefined);
    const { told, events } = faultyReplica();
    const { answers, writer } = slowLog();
    const guarded = failStop.events(events);
    const log = failStop.log(writer);
    guarded.onConnected("a");
    log.submit({ hardState: null, entries: [] }, () => told.push("durable"));
    log.reset({ index: 1, term: 1 }, () => told.push("reset"));
    answers[0]();
    failStop.run(() => {
      throw "not even an Error";
    });
    answers[1]();
    guarded.onDisconnected("a", { refused: false });
    failStop.run(() => told.push("tick"));
    expect(told).toEqual(["connected a", "durable"]);
  });

  it("leaves calls that do not throw alone", () => {
    const failures: Error[] = [];
    const failStop = new FailStop((error) => failures.push(error));
    const calls: number[] = [];
    for (const call of [1, 2, 3]) failStop.run(() => calls.push(call));
    expect([calls, failures]).toEqual([[1, 2, 3], []]);
  });
});
