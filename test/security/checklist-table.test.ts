/** README.md says where each line of the checklists is shown: it must be so, and every line must be somewhere. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = readFileSync(join(root, "test/security/README.md"), "utf8");

const LINES = [
  ...ids("S", 1, 15),
  ...ids("S", 20, 28),
  ...ids("S", 30, 38),
  "S40",
  ...ids("D", 1, 16),
  ...ids("F", 1, 101),
];

function ids(letter: string, first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, at) => {
    return letter + String(first + at).padStart(letter === "S" ? 2 : 1, "0");
  });
}

/** Line by line of the first table: the id, and the files. */
const shown = new Map(
  [...readme.matchAll(/^\| ([SDF]\d+) \| (`.*`) \|$/gm)].map(([, id = "", files = ""]) => [
    id,
    files.split(" ").map((file) => file.replaceAll("`", "")),
  ]),
);

/** Whether a test of this file names the id in brackets, alone or among others. */
function names(text: string, id: string): boolean {
  return new RegExp(`\\([^)]*\\b${id}\\b[^)]*\\)`).test(text);
}

/** What stands behind the first table: lines that wait, with what for. */
const waiting = readme.slice(readme.indexOf("## Lines that wait"));

/** "F74 to F86" stands for all between. */
function isWaiting(id: string): boolean {
  const ranges = [...waiting.matchAll(/([SDF])(\d+)(?: to [SDF](\d+))?/g)];
  return ranges.some(([, letter = "", first = "", last = first]) => {
    const number = Number(id.slice(1));
    return id.startsWith(letter) && number >= Number(first) && number <= Number(last);
  });
}

test.each([...shown])("%s is shown where the table says", (id, files) => {
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    expect(existsSync(join(root, file)), file).toBe(true);
    expect(names(readFileSync(join(root, file), "utf8"), id), `${file} names ${id}`).toBe(true);
  }
});

test("Every line of the checklists is in the table, or said to wait", () => {
  expect(shown.size).toBeGreaterThan(100);
  expect(LINES.filter((id) => !shown.has(id) && !isWaiting(id))).toEqual([]);
});

test("canary: a file that names an id only in passing, or another one, does not count", () => {
  expect(names("(F1, F27)", "F27")).toBe(true);
  expect(names("(F271)", "F27")).toBe(false);
  expect(names("F27 outside", "F27")).toBe(false);
});
