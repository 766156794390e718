import { describe, expect, it } from "vitest";
import { Sessions } from "../../src/replica/sessions.ts";

describe("replicated sessions", () => {
  it("takes the batches of a stream in order", () => {
    const sessions = new Sessions();
    expect([1, 2, 3].map((sequence) => sessions.advance("a", 7, sequence))).toEqual([
      "next",
      "next",
      "next",
    ]);
  });

  it("R12: takes a batch that was proposed twice once", () => {
    const sessions = new Sessions();
    sessions.advance("a", 7, 1);
    expect(sessions.advance("a", 7, 1)).toBe("duplicate");
  });

  it("refuses a batch whose predecessor is missing, and takes it after that", () => {
    const sessions = new Sessions();
    sessions.advance("a", 7, 1);
    expect(sessions.advance("a", 7, 3)).toBe("gap");
    expect(sessions.advance("a", 7, 2)).toBe("next");
    expect(sessions.advance("a", 7, 3)).toBe("next");
  });

  it("begins an incarnation with its first batch only", () => {
    const sessions = new Sessions();
    expect(sessions.advance("a", 7, 2)).toBe("gap");
    expect(sessions.advance("a", 7, 1)).toBe("next");
  });

  it("ends an incarnation for good when a higher one begins", () => {
    const sessions = new Sessions();
    sessions.advance("a", 7, 1);
    expect(sessions.advance("a", 8, 1)).toBe("next");
    expect(sessions.advance("a", 7, 2)).toBe("ended");
  });

  it("keeps the streams of different nodes apart", () => {
    const sessions = new Sessions();
    sessions.advance("a", 7, 1);
    expect(sessions.advance("b", 1, 1)).toBe("next");
    expect(sessions.advance("a", 7, 2)).toBe("next");
  });

  it("comes out of a snapshot as it went in, in one order whatever the history", () => {
    const sessions = new Sessions();
    sessions.advance("b", 1, 1);
    sessions.advance("a", 7, 1);
    const copy = new Sessions();
    copy.restore(sessions.records());
    expect(copy.records()).toEqual([
      ["a", 7, 1],
      ["b", 1, 1],
    ]);
    expect(copy.advance("a", 7, 1)).toBe("duplicate");
  });
});
