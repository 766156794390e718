import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { lockDataDirectory } from "../../src/disk/data-directory.ts";
import { storageErrorOf } from "./log-fixtures.ts";

async function withDirectory(test: (directory: string) => Promise<void> | void): Promise<void> {
  const home = mkdtempSync(`${tmpdir()}/ferrite-data-`);
  try {
    await test(`${home}/node`);
  } finally {
    rmSync(home, { recursive: true });
  }
}

describe("the lock of a data directory", () => {
  it("makes the directory for its owner only, and names the owner to a second one", () =>
    withDirectory((directory) => {
      const lock = lockDataDirectory(directory);
      expect(statSync(directory).mode & 0o777).toBe(0o700);
      const error = storageErrorOf(() => lockDataDirectory(directory));
      expect(error.code).toBe("directoryLocked");
      expect(error.message).toContain(`process ${process.pid}`);
      lock.release();
      lockDataDirectory(directory).release();
      expect(readdirSync(directory)).toEqual([]);
    }));

  it("is taken over from a process that is gone", () =>
    withDirectory(async (directory) => {
      const child = spawn(process.execPath, ["-e", ""]);
      const { pid } = child;
      await once(child, "exit");
      lockDataDirectory(directory).release();
      writeFileSync(`${directory}/lock`, `${pid} 1 boot`);
      const lock = lockDataDirectory(directory);
      expect(readFileSync(`${directory}/lock`, "utf8")).toContain(`${process.pid} `);
      lock.release();
    }));

  it("is taken over when the process id is in use again by another process", () =>
    withDirectory((directory) => {
      lockDataDirectory(directory).release();
      writeFileSync(`${directory}/lock`, `${process.pid} 1 another-boot`);
      const lock = lockDataDirectory(directory);
      expect(readFileSync(`${directory}/lock`, "utf8")).not.toContain("another-boot");
      lock.release();
    }));

  it("stands against a living other process", () =>
    withDirectory(async (directory) => {
      const source = new URL("../../src/disk/data-directory.ts", import.meta.url);
      const script =
        `import { lockDataDirectory } from ${JSON.stringify(source.href)};` +
        `lockDataDirectory(${JSON.stringify(directory)}); console.log("locked"); process.stdin.resume();`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      const error = storageErrorOf(() => lockDataDirectory(directory));
      expect(error.message).toContain(`process ${child.pid}`);
      child.kill("SIGKILL");
      await once(child, "exit");
      lockDataDirectory(directory).release();
    }));
});
