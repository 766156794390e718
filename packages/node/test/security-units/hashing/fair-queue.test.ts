import { describe, expect, it } from "vitest";
import { FairQueue } from "../../../src/security/hashing/fair-queue.ts";

function drained(queue: FairQueue<string>): string {
  const items: string[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item);
  return items.join(" ");
}

describe("A fair queue", () => {
  it("serves addresses in turn, each in its own order", () => {
    const queue = new FairQueue<string>(100);
    for (const item of ["a1", "a2", "a3", "a4", "b1", "c1", "b2"]) queue.push(item[0], item);
    expect(queue.size).toBe(7);
    expect(drained(queue)).toBe("a1 b1 c1 a2 b2 a3 a4");
    expect(queue.size).toBe(0);
  });

  it("lets a newcomer wait for one turn of the others, however much they have sent", () => {
    const queue = new FairQueue<string>(100);
    for (let count = 0; count < 90; count++) queue.push("flood", `f${count}`);
    queue.shift();
    queue.push("me", "mine");
    expect([queue.shift(), queue.shift()]).toEqual(["f1", "mine"]);
  });

  it("turns away what comes when it is full (limit: sizeMax)", () => {
    const queue = new FairQueue<string>(2);
    expect(queue.push("a", "a1")).toBeNull();
    expect(queue.push("a", "a2")).toBeNull();
    expect(queue.push("a", "a3")).toBe("a3");
    expect(drained(queue)).toBe("a1 a2");
  });

  it("gives the last place of the one who has most to one who has less", () => {
    const queue = new FairQueue<string>(4);
    for (const item of ["a1", "a2", "a3", "a4"]) queue.push("a", item);
    expect(queue.push("b", "b1")).toBe("a4");
    expect(queue.push("b", "b2")).toBe("a3");
    // Equal shares: nobody is pushed out any more.
    expect(queue.push("b", "b3")).toBe("b3");
    expect(queue.push("a", "a5")).toBe("a5");
    expect(queue.push("c", "c1")).toBe("a2");
    expect(queue.push("d", "d1")).toBe("b2");
    expect(queue.push("e", "e1")).toBe("e1");
    expect(drained(queue)).toBe("a1 b1 c1 d1");
  });

  it("hands out all at once", () => {
    const queue = new FairQueue<string>(4);
    for (const item of ["a1", "b1", "a2"]) queue.push(item[0], item);
    expect(queue.drain().sort()).toEqual(["a1", "a2", "b1"]);
    expect(queue.size).toBe(0);
    expect(queue.shift()).toBeUndefined();
  });
});
