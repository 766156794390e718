import { createHash } from "node:crypto";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deriveChainKey } from "../../src/audit/chain-key.ts";
import { findTrailFiles, verifyTrail, type VerificationReport } from "../../src/audit/index.ts";
import { LINE_BYTES_MAX } from "../../src/audit/limits.ts";
import type { Anchor } from "../../src/audit/verify/chain-check.ts";
import type { ChainKey } from "../../src/audit/chain-key.ts";
import {
  auditDirectory,
  auditFiles,
  note,
  startWorld,
  temporaryDirectory,
  written,
} from "./trail-world.ts";

interface Trail {
  readonly dataDirectory: string;
  readonly head: Anchor;
}

const KEY = "0123456789abcdef0123456789abcdef";

/** Ten records; in several files when asked for. */
async function trailOfTen(options: { files?: boolean; keyFile?: string } = {}): Promise<Trail> {
  const { trail, dataDirectory } = await startWorld({
    settings: {
      ...(options.files === true ? { auditFileBytes: 2500 } : {}),
      auditKeyFile: options.keyFile ?? null,
    },
  });
  for (let at = 2; at <= 10; at++) trail.record(note(`record ${at}`));
  await written(trail);
  await trail.close();
  return { dataDirectory, head: trail.status().head };
}

async function verify(
  dataDirectory: string,
  options: { anchor?: Anchor; key?: ChainKey; allowRestarts?: boolean } = {},
): Promise<VerificationReport> {
  return await verifyTrail({
    files: await findTrailFiles([auditDirectory(dataDirectory)]),
    key: options.key ?? null,
    anchor: options.anchor ?? null,
    allowRestarts: options.allowRestarts ?? false,
  });
}

/** Changes the lines of the only file. */
function edit(dataDirectory: string, change: (lines: string[]) => string[]): void {
  const [file] = auditFiles(dataDirectory);
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  writeFileSync(
    file,
    change(lines)
      .map((line) => `${line}\n`)
      .join(""),
  );
}

/** The trail made anew by somebody who knows the format: hashes and links are right. */
function forge(lines: readonly string[], change: (text: string) => string): string[] {
  let prev = "0".repeat(64);
  return lines.map((line) => {
    const body = change(line.slice(0, -75)).replace(/"prev":"[0-9a-f]{64}"$/, `"prev":"${prev}"`);
    prev = createHash("sha256").update(body).digest("hex");
    return `${body},"hash":"${prev}"}`;
  });
}

describe("Verifying a trail", () => {
  it("a whole one is well, in one file or in many, against its anchor (S51)", async () => {
    for (const files of [false, true]) {
      const { dataDirectory, head } = await trailOfTen({ files });
      const report = await verify(dataDirectory, { anchor: head });
      expect(report).toMatchObject({ problem: null, records: 10, firstSequence: 1, notices: [] });
      expect(report.last).toEqual(head);
      expect(report.files > 1).toBe(files);
    }
  });

  it("any changed byte is found, in the line where it is (S51)", async () => {
    const { dataDirectory } = await trailOfTen();
    const [file] = auditFiles(dataDirectory);
    const whole = readFileSync(file);
    const lineOf = (at: number): number =>
      whole.subarray(0, at).toString("latin1").split("\n").length;
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: whole.length - 2 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const bytes = Buffer.from(whole);
          bytes[at] ^= flip;
          writeFileSync(file, bytes);
          const { problem } = await verify(dataDirectory);
          // A line end that is gone joins two lines; one that is new cuts one.
          expect(problem?.line).toBe(lineOf(at));
        },
      ),
      { numRuns: 150 },
    );
  });

  it("a changed record is named (S51)", async () => {
    const { dataDirectory } = await trailOfTen();
    edit(dataDirectory, (lines) => lines.map((line) => line.replace("record 5", "record X")));
    expect((await verify(dataDirectory)).problem).toMatchObject({
      kind: "changed",
      line: 5,
      sequence: 5,
      file: auditFiles(dataDirectory)[0],
    });
  });

  it("a record that was changed together with its hash breaks the next one (S51)", async () => {
    const { dataDirectory } = await trailOfTen();
    edit(dataDirectory, (lines) => {
      const body = lines[4].slice(0, -75).replace("record 5", "record X");
      const hash = createHash("sha256").update(body).digest("hex");
      return lines.with(4, `${body},"hash":"${hash}"}`);
    });
    expect((await verify(dataDirectory)).problem).toMatchObject({
      kind: "chain",
      line: 6,
      sequence: 6,
    });
  });

  it("a deleted line is a gap (S51)", async () => {
    const { dataDirectory } = await trailOfTen();
    edit(dataDirectory, (lines) => lines.toSpliced(4, 1));
    expect((await verify(dataDirectory)).problem).toMatchObject({
      kind: "gap",
      line: 5,
      sequence: 6,
      text: "record 5 is missing before this one",
    });
  });

  it("a deleted file is a gap, and the first one only a notice: retention removes it too", async () => {
    const { dataDirectory } = await trailOfTen({ files: true });
    const [first, second, ...rest] = auditFiles(dataDirectory);
    const options = { key: null, anchor: null, allowRestarts: false };
    const gap = await verifyTrail({ files: [first, ...rest], ...options });
    expect(gap.problem).toMatchObject({ kind: "gap", file: rest[0], line: 1 });
    const front = await verifyTrail({ files: [second, ...rest], ...options });
    expect(front.problem).toBeNull();
    expect(front.notices[0]).toMatch(/^records before \d+ are not in these files$/);
  });

  it("two lines that were swapped are found at the first of them (S51)", async () => {
    const { dataDirectory } = await trailOfTen();
    edit(dataDirectory, (lines) => lines.with(3, lines[4]).with(4, lines[3]));
    expect((await verify(dataDirectory)).problem).toMatchObject({ line: 4, sequence: 5 });
  });

  it("a line that stands twice is out of order", async () => {
    const { dataDirectory } = await trailOfTen();
    edit(dataDirectory, (lines) => lines.toSpliced(5, 0, lines[4]));
    expect((await verify(dataDirectory)).problem).toMatchObject({
      kind: "order",
      line: 6,
      sequence: 5,
    });
  });

  it("a tail that was cut behind an anchor is found by the anchor, and only by it (S51)", async () => {
    const { dataDirectory, head } = await trailOfTen();
    edit(dataDirectory, (lines) => lines.slice(0, 7));
    expect((await verify(dataDirectory)).problem).toBeNull();
    expect((await verify(dataDirectory, { anchor: head })).problem).toMatchObject({
      kind: "cut",
      sequence: 7,
      text: "the trail ends at record 7, but the cluster has witnessed record 10",
    });
  });

  it("a chain that was made anew from end to end is found by the anchor (S51)", async () => {
    const { dataDirectory, head } = await trailOfTen();
    edit(dataDirectory, (lines) => forge(lines, (text) => text.replace("record 5", "nothing")));
    expect((await verify(dataDirectory)).problem).toBeNull();
    expect((await verify(dataDirectory, { anchor: head })).problem).toMatchObject({
      kind: "anchor",
      line: 10,
      sequence: 10,
    });
  });

  it("with a key a forged chain is found without any anchor (S51)", async () => {
    const keyFile = `${temporaryDirectory()}/audit.key`;
    writeFileSync(keyFile, KEY, { mode: 0o600 });
    const { dataDirectory } = await trailOfTen({ keyFile });
    const key = deriveChainKey(Buffer.from(KEY));
    expect((await verify(dataDirectory, { key })).problem).toBeNull();
    expect((await verify(dataDirectory)).problem).toMatchObject({ kind: "key", line: 1 });
    const other = deriveChainKey(Buffer.from("another key of enough bytes"));
    expect((await verify(dataDirectory, { key: other })).problem).toMatchObject({ kind: "key" });
    edit(dataDirectory, (lines) => forge(lines, (text) => text.replace("record 5", "nothing")));
    expect((await verify(dataDirectory, { key })).problem).toMatchObject({ line: 1 });
  });

  it("a chain that was begun anew is a problem, unless that is known", async () => {
    const { dataDirectory } = await trailOfTen();
    edit(dataDirectory, (lines) => lines.with(9, lines[9].replace("record 10", "record XX")));
    const { trail } = await startWorld({ dataDirectory });
    trail.record(note("after"));
    await trail.close();
    expect((await verify(dataDirectory)).problem).toMatchObject({ kind: "changed", sequence: 10 });
    edit(dataDirectory, (lines) => lines.slice(0, 9));
    expect((await verify(dataDirectory)).problem).toMatchObject({ kind: "restart", sequence: 11 });
    const allowed = await verify(dataDirectory, { allowRestarts: true });
    expect(allowed).toMatchObject({ problem: null, records: 11 });
    expect(allowed.notices[0]).toContain("the chain was begun anew after record 9");
  });

  it("a line that is being written is a notice; one that no record can be is malformed", async () => {
    const { dataDirectory } = await trailOfTen();
    const [file] = auditFiles(dataDirectory);
    const whole = readFileSync(file);
    truncateSync(file, whole.length - 10);
    const torn = await verify(dataDirectory);
    expect(torn).toMatchObject({ problem: null, records: 9 });
    expect(torn.notices[0]).toContain("an unfinished record");
    for (const line of ["not a record", "x".repeat(LINE_BYTES_MAX + 1), "{}", ""]) {
      writeFileSync(file, Buffer.concat([whole, Buffer.from(`${line}\n`)]));
      expect((await verify(dataDirectory)).problem).toMatchObject({ kind: "malformed", line: 11 });
    }
  });

  it("records of another node do not belong", async () => {
    const { dataDirectory } = await trailOfTen();
    edit(dataDirectory, (lines) =>
      forge(lines, (text) =>
        text.includes('"seq":6,') ? text.replace("00000000000a", "00000000000b") : text,
      ),
    );
    expect((await verify(dataDirectory)).problem).toMatchObject({ kind: "foreign", sequence: 6 });
  });

  it("an anchor that lies before the first file is not taken for granted", async () => {
    const { dataDirectory, head } = await trailOfTen({ files: true });
    const report = await verifyTrail({
      files: auditFiles(dataDirectory).slice(-1),
      key: null,
      anchor: { sequence: 1, hash: head.hash },
      allowRestarts: false,
    });
    expect(report.problem).toMatchObject({ kind: "cut" });
  });

  it("what is no trail is refused", async () => {
    const directory = temporaryDirectory();
    await expect(findTrailFiles([directory])).rejects.toThrow("there are no audit files");
    await expect(findTrailFiles([`${directory}/none`])).rejects.toThrow("no such file");
  });
});
