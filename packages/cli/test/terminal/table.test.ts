import { describe, expect, it } from "vitest";
import { chooseStyle, PLAIN_STYLE } from "../../src/terminal/style.ts";
import { renderTable, type Column } from "../../src/terminal/table.ts";

type Row = readonly [string, string, string];
const COLUMNS: readonly Column<Row>[] = [
  { title: "NAME", cell: (row) => row[0] },
  { title: "N", align: "right", cell: (row) => row[1] },
  { title: "STATE", cell: (row) => row[2], paint: (text) => `\u001b[31m${text}\u001b[39m` },
];

describe("tables", () => {
  it("columns are as wide as their widest cell, and colours count for nothing", () => {
    const lines = renderTable(
      COLUMNS,
      [
        ["a", "1", "ok"],
        ["longer", "1000", "bad"],
      ],
      PLAIN_STYLE,
    );
    const red = (text: string): string => `\u001b[31m${text}\u001b[39m`;
    expect(lines).toEqual([
      "NAME       N  STATE",
      `a          1  ${red("ok")}`,
      `longer  1000  ${red("bad")}`,
    ]);
  });

  it("no rows leave the headings", () => {
    expect(renderTable(COLUMNS, [], PLAIN_STYLE)).toEqual(["NAME  N  STATE"]);
  });

  it("what comes from elsewhere can not drive the terminal", () => {
    const [, line] = renderTable(COLUMNS.slice(0, 2), [["a\u001b[2Jb\n", "1", ""]], PLAIN_STYLE);
    expect(line).toBe("a?[2Jb?  1");
  });
});

describe("colours", () => {
  it.each<[Record<string, string>, boolean, boolean]>([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: "1" }, true, false],
    [{ NO_COLOR: "" }, true, true],
    [{ TERM: "dumb" }, true, false],
  ])("with %j on a terminal (%s): %s", (environment, isTerminal, coloured) => {
    expect(chooseStyle(environment, isTerminal).bold("x") !== "x").toBe(coloured);
  });
});
