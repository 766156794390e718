import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { replaceFile } from "../../src/access/replace-file.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const isRoot = process.geteuid?.() === 0;
const source = fileURLToPath(new URL("../../src/access/replace-file.ts", import.meta.url));

/** Runs `script` in a namespace of its own, where `directory` is a disk that can only be read. Null where that is not allowed. */
function withReadOnlyDisk(directory: string, script: string): string | null {
  const mount = `mount -t tmpfs -o ro ferrite-test "${directory}" && exec "${process.execPath}" --input-type=module -e "$SCRIPT"`;
  try {
    execFileSync("unshare", ["-m", "true"], { stdio: "ignore" });
  } catch {
    return null;
  }
  const environment = { ...process.env, SCRIPT: script };
  return execFileSync("unshare", ["-m", "sh", "-c", mount], { env: environment, encoding: "utf8" });
}

describe("Replacing a file", () => {
  test("(F50) makes it for its owner alone, and leaves nothing else behind", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "acl.conf");
    await replaceFile(path, Buffer.from("one"));
    expect(readFileSync(path, "utf8")).toBe("one");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(["acl.conf"]);
  });

  test("(F50) overwrites, and takes rights away that the old file gave", async () => {
    const path = join(temporaryDirectory(), "acl.conf");
    writeFileSync(path, "something longer");
    chmodSync(path, 0o666);
    await replaceFile(path, Buffer.from("two"));
    expect(readFileSync(path, "utf8")).toBe("two");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("(F50) makes the directory, for its owner alone", async () => {
    const directory = join(temporaryDirectory(), "a", "b");
    await replaceFile(join(directory, "acl.conf"), Buffer.from("three"));
    expect(readFileSync(join(directory, "acl.conf"), "utf8")).toBe("three");
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  test("(F62) writers at the same time leave one of their files, whole", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "acl.conf");
    const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(20_000));
    await Promise.all(texts.map((text) => replaceFile(path, Buffer.from(text))));
    expect(texts).toContain(readFileSync(path, "utf8"));
    expect(readdirSync(directory)).toEqual(["acl.conf"]);
  });

  test("a symbolic link is left as it is", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "acl.conf");
    const target = join(directory, "target");
    writeFileSync(target, "old");
    symlinkSync(target, path);
    await expect(replaceFile(path, Buffer.from("new"))).rejects.toMatchObject({
      code: "ACL_FILE_NOT_WRITTEN",
      message: `${path} is not written: it is a symbolic link`,
    });
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, "utf8")).toBe("old");
  });

  test("(F50) nothing is left behind when it fails", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "acl.conf");
    mkdirSync(path);
    await expect(replaceFile(path, Buffer.from("x"))).rejects.toThrow("it is a directory");
    expect(readdirSync(directory)).toEqual(["acl.conf"]);
  });

  test.skipIf(isRoot)("(F60) a directory that may not be written is a clear error", async () => {
    const directory = temporaryDirectory();
    chmodSync(directory, 0o500);
    const path = join(directory, "acl.conf");
    await expect(replaceFile(path, Buffer.from("x"))).rejects.toThrow(
      `${path} is not written: this user may not write there`,
    );
  });

  test("(F60) a disk that can only be read is a clear error", ({ skip }) => {
    const directory = temporaryDirectory();
    const path = join(directory, "acl.conf");
    const script = `
      const { replaceFile } = await import(${JSON.stringify(source)});
      await replaceFile(${JSON.stringify(path)}, Buffer.from("x")).catch((error) => console.log(error.message));`;
    const printed = withReadOnlyDisk(directory, script);
    if (printed === null) return skip("namespaces are not allowed here");
    expect(printed).toBe(`${path} is not written: the disk can only be read\n`);
    return undefined;
  });

  test("(F60) a file system that takes nothing is a clear error", async () => {
    await expect(replaceFile("/proc/ferrite/acl.conf", Buffer.from("x"))).rejects.toMatchObject({
      code: "ACL_FILE_NOT_WRITTEN",
      message: expect.stringContaining("/proc/ferrite/acl.conf is not written: "),
    });
    await expect(replaceFile("/dev/full/acl.conf", Buffer.from("x"))).rejects.toThrow(
      "a part of its path is no directory",
    );
  });
});
