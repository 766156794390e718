import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NodeFileSystem } from "@ferrite/storage";
import { StartError } from "../../src/start/errors.ts";
import { loadIdentity, renewIdentity } from "../../src/start/identity.ts";
import type { LoadedIdentity } from "../../src/start/identity.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ferrite-identity-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function load(): LoadedIdentity {
  return loadIdentity(new NodeFileSystem(), { dataDirectory: directory, nodeName: "node1" });
}

function put(path: string, text = ""): void {
  mkdirSync(join(directory, path, ".."), { recursive: true });
  writeFileSync(join(directory, path), text);
}

function refusalOf(run: () => unknown): StartError {
  try {
    run();
  } catch (error) {
    if (error instanceof StartError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

function filesOf(): Map<string, string> {
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" });
  const files = paths.filter((path) => path.includes("."));
  return new Map(files.map((path) => [path, readFileSync(join(directory, path), "utf8")]));
}

const SEGMENT = "log/00000000000000000001.log";
const SNAPSHOT = "snapshots/snapshot-00000000000000000007-00000000000000000001";

describe("identity.json", () => {
  it("O05: is made once, and its incarnation rises with every start", () => {
    const first = load();
    expect(first.isNew).toBe(true);
    first.logBegun();
    put(SEGMENT);
    const second = load();
    expect(second.isNew).toBe(false);
    expect(second.identity).toEqual(first.identity);
    expect(second.incarnation).toBeGreaterThan(first.incarnation);
  });

  it.each(["genesis.json", SEGMENT, SNAPSHOT])(
    "is not made anew while %s is there: that would be a stranger with another's data",
    (path) => {
      put(path, "{}");
      const before = filesOf();
      const refusal = refusalOf(load);
      expect(refusal.code).toBe("MISSING_FILE");
      expect(refusal.message).toContain(`${directory}/identity.json is missing`);
      expect(filesOf()).toEqual(before);
    },
  );

  it("a log that was begun and is gone is refused, and nothing is written", () => {
    load().logBegun();
    const before = filesOf();
    const refusal = refusalOf(load);
    expect(refusal.code).toBe("MISSING_FILE");
    expect(refusal.message).toContain(`no log in ${directory}/log`);
    expect(filesOf()).toEqual(before);
    put(SEGMENT);
    expect(load().isNew).toBe(false);
  });

  it("is renewed for a disk that can not be trusted: another id, a higher incarnation, the old id kept (O07)", () => {
    const first = load();
    first.logBegun();
    const renewed = renewIdentity(new NodeFileSystem(), directory);
    expect(renewed.identity.name).toBe("node1");
    expect(renewed.identity.id).not.toBe(first.identity.id);
    expect(renewed.formerIds).toEqual([first.identity.id]);
    expect(renewed.incarnation).toBeGreaterThan(first.incarnation);
    // Nothing is owed to the new id: it starts without a log, and with the log that it then begins.
    const again = load();
    expect(again.identity).toEqual(renewed.identity);
    expect(again.formerIds).toEqual([first.identity.id]);
    again.logBegun();
    expect(refusalOf(load).code).toBe("MISSING_FILE");
    put(SEGMENT);
    expect(load().identity).toEqual(renewed.identity);
  });

  it("keeps only the last of the ids that were given up", () => {
    load();
    const ids: string[] = [];
    for (let round = 0; round < 70; round++) {
      ids.push(load().identity.id);
      renewIdentity(new NodeFileSystem(), directory);
    }
    expect(load().formerIds).toEqual(ids.slice(-64));
  });

  it("can not be renewed when it is not there", () => {
    expect(refusalOf(() => renewIdentity(new NodeFileSystem(), directory)).code).toBe(
      "MISSING_FILE",
    );
    expect(readdirSync(directory)).toEqual([]);
  });

  it("a crash before the first log was begun leaves a node that starts", () => {
    const first = load();
    expect(load().identity).toEqual(first.identity);
  });

  it("of an earlier version, which did not remember its log, is understood and remembers from then on", () => {
    put("identity.json", JSON.stringify({ format: 1, id: ID, name: "node1", incarnation: 3 }));
    put(SEGMENT);
    expect(load().identity.id).toBe(ID);
    rmSync(join(directory, SEGMENT));
    expect(refusalOf(load).code).toBe("MISSING_FILE");
  });

  it("other files in the directories are no log and no snapshot", () => {
    put("log/notes.txt");
    put("snapshots/snapshot-00000000000000000007-00000000000000000001.1.tmp");
    expect(load().isNew).toBe(true);
  });
});

const ID = "0f8fad5b-d9cb-469f-a165-70867728950e";
