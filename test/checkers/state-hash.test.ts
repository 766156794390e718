import { describe, expect, it } from "vitest";
import { checkStateHashes } from "./state-hash.ts";

function report(
  node: string,
  appliedIndex: number,
  hash: string,
): {
  readonly node: string;
  readonly appliedIndex: number;
  readonly hash: string;
} {
  return { node, appliedIndex, hash };
}

describe("state hashes (R32)", () => {
  it("has nothing to say when nodes agree, and nothing about different indexes", () => {
    expect(
      checkStateHashes([report("n1", 5, "x"), report("n2", 5, "x"), report("n3", 6, "y")]),
    ).toEqual([]);
  });

  it("names the node that is not with the majority", () => {
    const reports = [report("n1", 5, "x"), report("n2", 5, "y"), report("n3", 5, "x")];
    expect(checkStateHashes(reports)).toEqual([
      {
        appliedIndex: 5,
        groups: [
          { hash: "x", nodes: ["n1", "n3"] },
          { hash: "y", nodes: ["n2"] },
        ],
        suspects: ["n2"],
      },
    ]);
  });

  it("suspects all of them where there is no majority: no node is right because it leads", () => {
    const [{ suspects }] = checkStateHashes([report("n1", 5, "x"), report("n2", 5, "y")]);
    expect(suspects).toEqual(["n1", "n2"]);
  });

  it("does not count one node's report twice", () => {
    const reports = [report("n1", 5, "x"), report("n1", 5, "x"), report("n2", 5, "y")];
    expect(checkStateHashes(reports)[0].suspects).toEqual(["n1", "n2"]);
  });
});
