import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DeferredQueue } from "../../src/server/deferred-queue.ts";
import { InputBuffer } from "../../src/server/input-buffer.ts";
import { CommandCounts } from "../../src/server/statistics.ts";
import { WritesInFlight } from "../../src/server/writes-in-flight.ts";
import { ping } from "../../src/commands/connection/ping.ts";

describe("the input buffer", () => {
  it("hands out what was put in, in order, however it is filled and emptied", () => {
    const step = fc.record({
      add: fc.uint8Array({ maxLength: 900 }),
      take: fc.nat({ max: 900 }),
      expected: fc.nat({ max: 100_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const buffer = new InputBuffer();
        let model = Buffer.alloc(0);
        for (const { add, take, expected } of steps) {
          const range = { from: 0, to: add.length };
          buffer.append(Buffer.from(add), range, expected);
          model = Buffer.concat([model, add]);
          expect(buffer.bytes.subarray(buffer.start, buffer.end).equals(model)).toBe(true);
          const taken = Math.min(take, model.length);
          buffer.consumeTo(buffer.start + taken);
          model = model.subarray(taken);
          expect(buffer.length).toBe(model.length);
        }
      }),
    );
  });

  it("holds no memory when it is empty", () => {
    const buffer = new InputBuffer();
    buffer.append(Buffer.alloc(100_000), { from: 0, to: 100_000 }, 0);
    buffer.consumeTo(buffer.end);
    expect(buffer.capacityBytes).toBe(0);
  });

  it("does not take memory for bytes that are only announced", () => {
    const buffer = new InputBuffer();
    buffer.append(
      Buffer.from("*2\r\n$4\r\nECHO\r\n$60000000\r\nx"),
      { from: 0, to: 27 },
      60_000_027,
    );
    expect(buffer.capacityBytes).toBeLessThanOrEqual(32 * 1024);
  });
});

describe("the queue of commands put aside", () => {
  it("gives back commands and errors in order with the write they follow", () => {
    const push = fc.record({
      text: fc.string({ maxLength: 40 }),
      isError: fc.boolean(),
      shifts: fc.nat({ max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(push, { maxLength: 60 }), (pushes) => {
        const queue = new DeferredQueue();
        const model: { text: string; isError: boolean; after: number }[] = [];
        pushes.forEach(({ text, isError, shifts }, after) => {
          const bytes = Buffer.from(text, "latin1");
          if (isError) queue.pushError(after, text);
          else queue.pushCommand(after, bytes, { start: 0, end: bytes.length });
          model.push({ text: bytes.toString("latin1"), isError, after });
          for (let shift = 0; shift < shifts && model.length > 0; shift++) {
            const expected = model.shift()!;
            expect(queue.headAfterWrite).toBe(expected.after);
            expect(queue.headIsError).toBe(expected.isError);
            expect(queue.bytes.toString("latin1", queue.headStart, queue.headEnd)).toBe(
              expected.text,
            );
            queue.shift();
          }
          expect(queue.length).toBe(model.length);
        });
      }),
    );
  });

  it("gives memory back when a long queue has been worked off", () => {
    const queue = new DeferredQueue();
    const bytes = Buffer.alloc(1000);
    for (let number = 0; number < 5000; number++)
      queue.pushCommand(1, bytes, { start: 0, end: 1000 });
    expect(queue.usedBytes).toBe(5_000_000);
    for (let number = 0; number < 5000; number++) queue.shift();
    expect(queue.length).toBe(0);
    expect(queue.usedBytes).toBe(0);
    expect(queue.bytes.length).toBe(0);
  });
});

describe("writes in flight", () => {
  it("refuse an answer when there is none to be answered", () => {
    expect(() => new WritesInFlight().fail()).toThrow("invariant");
  });

  it("tell which command failed", () => {
    const writes = new WritesInFlight();
    writes.add(ping, 10);
    writes.add(ping, 20);
    writes.beginReply(5);
    expect(writes.endReply(5)).toBe(null);
    writes.beginReply(5);
    expect(writes.endReply(6)).toBe(ping);
    expect(writes.count).toBe(0);
    expect(writes.bytes).toBe(0);
  });
});

describe("the counts of a command", () => {
  it("estimate the time of all calls from those that were timed", () => {
    const counts = new CommandCounts("x");
    expect(counts.microseconds).toBe(0);
    counts.calls = 100;
    counts.timedCalls = 2;
    counts.timedMicroseconds = 30;
    expect(counts.microseconds).toBe(1500);
    counts.addTimed(performance.now());
    expect(counts.timedCalls).toBe(3);
  });
});
