import { describe, expect, it } from "vitest";
import { run } from "../src/program.ts";
import { FakeWorld } from "./fixtures/fake-world.ts";

describe("the command line", () => {
  it("--version prints the version alone", async () => {
    const world = new FakeWorld();
    expect(await run(["--version"], world)).toBe(0);
    expect(world.printed).toEqual(["9.8.7"]);
  });

  it("--help names every command and gives examples", async () => {
    const world = new FakeWorld();
    expect(await run(["--help"], world)).toBe(0);
    for (const name of ["dev", "start", "status", "user", "certs", "Examples:"])
      expect(world.output).toContain(name);
  });

  it("a mistyped command is refused and the right one suggested", async () => {
    const world = new FakeWorld();
    expect(await run(["stat"], world)).toBe(1);
    expect(world.errors).toMatch(/unknown command 'stat'[^]*Did you mean (one of )?sta/);
  });

  it("without arguments it shows the help and fails", async () => {
    const world = new FakeWorld();
    expect(await run([], world)).toBe(1);
    expect(world.errors).toContain("Usage: ferrite");
  });

  it.each([["dev"], ["status"], ["user"], ["certs"]])("%s has a help of its own", async (name) => {
    const world = new FakeWorld();
    expect(await run([name, "--help"], world)).toBe(0);
    expect(world.output).toContain(`Usage: ferrite ${name}`);
  });
});
