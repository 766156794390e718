/**
 * Plays testdata/*.txt and compares everything that happens with what the file says. `REWRITE=1` writes what happens
 * into the files: commit the difference only if you understand what caused it and want it.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { replay } from "./trace-file.ts";

const folder = new URL("../testdata/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".txt"));

test("there are traces to play", () => {
  expect(files.length).toBeGreaterThanOrEqual(8);
});

test.each(files)("%s happens as it is written", (name) => {
  const file = new URL(name, folder);
  const text = readFileSync(file, "utf8");
  const played = replay(text);
  if (process.env["REWRITE"] === "1") {
    writeFileSync(file, played);
    return;
  }
  expect(played).toBe(text);
});

test("a trace that says something else than what happens is caught", () => {
  const played = replay("# One voter.\nnodes a\ntick a\n----\nnothing happens\n");
  expect(played).not.toContain("nothing happens");
  expect(played).toContain("a becomes leader in term 1");
});

test("a command that does not exist is an error", () => {
  expect(() => replay("dance a\n----\n")).toThrow(/"dance" is not a command/);
});
