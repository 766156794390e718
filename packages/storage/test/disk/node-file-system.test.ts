import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { NodeFileSystem } from "../../src/disk/node-file-system.ts";

function withDirectory(test: (directory: string, fileSystem: NodeFileSystem) => void): void {
  const home = mkdtempSync(`${tmpdir()}/ferrite-files-`);
  try {
    test(home, new NodeFileSystem());
  } finally {
    rmSync(home, { recursive: true });
  }
}

describe("the machine's file system", () => {
  it("reserves zeros up to a size, and goes on from where a reservation stopped", () =>
    withDirectory((home, fileSystem) => {
      const handle = fileSystem.open(`${home}/file`, "create");
      handle.write(Uint8Array.of(7, 8), 0);
      handle.reserve(1_500_000);
      handle.reserve(2_500_000);
      handle.reserve(100);
      handle.sync();
      expect(handle.sizeBytes()).toBe(2_500_000);
      expect(statSync(`${home}/file`).blocks * 512).toBeGreaterThanOrEqual(2_500_000);
      const bytes = readFileSync(`${home}/file`);
      expect([...bytes.subarray(0, 3)]).toEqual([7, 8, 0]);
      expect(bytes.subarray(2).every((byte) => byte === 0)).toBe(true);
      handle.truncate(1);
      expect(handle.read(new Uint8Array(10), 0)).toBe(1);
      handle.close();
    }));

  it("keeps the system's error codes", () =>
    withDirectory((home, fileSystem) => {
      const code = (action: () => unknown): unknown => {
        try {
          action();
        } catch (error) {
          return (error as NodeJS.ErrnoException).code;
        }
        return null;
      };
      writeFileSync(`${home}/there`, "x");
      symlinkSync(`${home}/there`, `${home}/link`);
      expect(code(() => fileSystem.open(`${home}/there`, "create"))).toBe("EEXIST");
      expect(code(() => fileSystem.open(`${home}/missing`, "read"))).toBe("ENOENT");
      expect(code(() => fileSystem.open(`${home}/link`, "readWrite"))).toBe("ELOOP");
      expect(code(() => fileSystem.remove(`${home}/missing`))).toBe("ENOENT");
      expect(
        code(() => fileSystem.open("/dev/full", "readWrite").write(new Uint8Array(1), 0)),
      ).toBe("ENOSPC");
    }));

  it("makes directories and files for their owner only", () =>
    withDirectory((home, fileSystem) => {
      fileSystem.makeDirectory(`${home}/a/b`);
      fileSystem.open(`${home}/a/b/file`, "create").close();
      fileSystem.syncDirectory(`${home}/a/b`);
      expect(statSync(`${home}/a`).mode & 0o777).toBe(0o700);
      expect(statSync(`${home}/a/b/file`).mode & 0o777).toBe(0o600);
      fileSystem.rename(`${home}/a/b/file`, `${home}/a/b/other`);
      expect(fileSystem.list(`${home}/a/b`)).toEqual(["other"]);
      expect(fileSystem.exists(`${home}/a/b/file`)).toBe(false);
    }));
});
