import { getuid } from "node:process";
import { describe, expect, it } from "vitest";
import { CertificateError } from "../../src/certificates/errors.ts";
import { BAD_FILES, UNREADABLE, type BadFiles } from "./bad-files.ts";
import { HALF_WRITTEN_PAUSES_MS } from "../../src/certificates/limits.ts";
import { makeList } from "./certificate-maker.ts";
import { CredentialWorld } from "./credential-world.ts";

const MATRIX: readonly BadFiles[] = getuid?.() === 0 ? BAD_FILES : [...BAD_FILES, UNREADABLE];

async function failureOf(work: Promise<unknown>): Promise<CertificateError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof CertificateError) return error;
  throw new Error(`no CertificateError but ${String(error)}`);
}

describe("A start (S33)", () => {
  it.each(MATRIX)("fails with $what, and says so", async ({ code, says, spoil, files }) => {
    const world = new CredentialWorld();
    const given = files?.(world) ?? world.files;
    spoil(world);
    const error = await failureOf(world.open("peers", { files: given }));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(says);
    // Setting and file stand in it, so that nobody has to search.
    expect(error.message).toMatch(/peer-tls-[a-z-]+ /);
    expect(error.message).toContain(world.directory);
    expect(error.message).not.toContain("correct horse");
  });

  it("says everything that is wrong at once", async () => {
    const world = new CredentialWorld();
    world.write("node.crt", "");
    world.write("ca.crt", "");
    const error = await failureOf(world.open());
    expect(error.problems.map(({ code }) => code)).toEqual(["empty", "empty"]);
    expect(error.message).toContain("node.crt");
    expect(error.message).toContain("ca.crt");
  });
});

describe("A reload (S33)", () => {
  // These paths are wrong from the start, or would be noticed only there.
  const reloadable = MATRIX.filter(({ what }) => !what.startsWith("a file where a directory"));

  it.each(reloadable)("keeps the old pair with $what, and raises the alarm once", async (bad) => {
    const world = new CredentialWorld();
    const files = bad.files?.(world) ?? world.files;
    if (files.crlFile !== null) world.write("list.crl", makeList(world.authority));
    const credentials = await world.open("peers", { files });
    const before = credentials.current();
    bad.spoil(world);

    const outcome = await outlastPauses(world, credentials.reload("file"));
    expect(outcome).toMatchObject({ result: "refused" });
    expect(credentials.current()).toBe(before);
    const { refused, reloads } = credentials.health();
    expect(refused?.text).toMatch(bad.says);
    expect(reloads.refused).toBe(1);
    expect(world.eventsOf("refused")).toHaveLength(1);
    expect(world.alarms).toHaveLength(1);

    await outlastPauses(world, credentials.reload("interval"));
    expect(world.eventsOf("refused")).toHaveLength(1);
    expect(world.alarms).toHaveLength(1);
  });
});

/** Lets the pauses between the attempts pass as soon as they are begun. */
async function outlastPauses<T>(world: CredentialWorld, work: Promise<T>): Promise<T> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  for (const pauseMs of HALF_WRITTEN_PAUSES_MS) {
    await Promise.race([done, world.clock.untilWaiting(pauseMs)]);
    if (isDone) break;
    world.clock.advance(pauseMs);
  }
  return done;
}
