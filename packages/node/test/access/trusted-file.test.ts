import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readTrustedFile } from "../../src/access/trusted-file.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65_534;

function fileWith(text: string, mode = 0o600): string {
  const path = join(temporaryDirectory(), "acl.conf");
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe("A file that decides who may do what", () => {
  test("is read whole", async () => {
    const text = "line\n".repeat(50_000);
    expect((await readTrustedFile(fileWith(text), 1_000_000))?.toString()).toBe(text);
  });

  test("(F52) may be missing", async () => {
    expect(await readTrustedFile(join(temporaryDirectory(), "none"), 100)).toBeNull();
  });

  test("(F59) is not read through a symbolic link", async () => {
    const path = fileWith("secret");
    const link = `${path}.link`;
    symlinkSync(path, link);
    await expect(readTrustedFile(link, 100)).rejects.toMatchObject({
      code: "ACL_FILE_REFUSED",
      message: `${link} is not read: it is a symbolic link; put the file itself there`,
    });
  });

  test("(F59) a link that leads nowhere is refused as well, and not taken for a missing file", async () => {
    const link = join(temporaryDirectory(), "acl.conf");
    symlinkSync("/nonexistent/file", link);
    await expect(readTrustedFile(link, 100)).rejects.toThrow("symbolic link");
  });

  test.each([0o620, 0o602, 0o666])("is not read when others may write it (%o)", async (mode) => {
    await expect(readTrustedFile(fileWith("x", mode), 100)).rejects.toThrow(
      "its group or others may write it; take that away (chmod go-w)",
    );
  });

  test("may be readable by others", async () => {
    expect((await readTrustedFile(fileWith("x", 0o644), 100))?.toString()).toBe("x");
  });

  test.runIf(isRoot)("is not read when it belongs to somebody else", async () => {
    const path = fileWith("x");
    chownSync(path, NOBODY, NOBODY);
    await expect(readTrustedFile(path, 100)).rejects.toThrow(
      `it belongs to user ${NOBODY}, not to the one this node runs as (0); change its owner`,
    );
  });

  test("(F59) is not read when it is a directory or a pipe, without waiting for a writer", async () => {
    const directory = join(temporaryDirectory(), "directory");
    mkdirSync(directory);
    await expect(readTrustedFile(directory, 100)).rejects.toThrow("it is no regular file");
    const pipe = join(temporaryDirectory(), "pipe");
    execFileSync("mkfifo", [pipe]);
    await expect(readTrustedFile(pipe, 100)).rejects.toThrow("it is no regular file");
    await expect(readTrustedFile("/dev/zero", 100)).rejects.toThrow("it is no regular file");
  });

  test("(F59) is not read beyond the limit", async () => {
    expect((await readTrustedFile(fileWith("x".repeat(100)), 100))?.length).toBe(100);
    await expect(readTrustedFile(fileWith("x".repeat(101)), 100)).rejects.toThrow(
      "it has more than 100 bytes",
    );
  });

  test("a path through a file is refused, and not taken for a missing file", async () => {
    await expect(readTrustedFile(join(fileWith("x"), "acl.conf"), 100)).rejects.toThrow(
      "a part of its path is no directory",
    );
  });
});
