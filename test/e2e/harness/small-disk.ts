/** A file system of a few MiB, to fill up: only root can mount one. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class SmallDisk {
  readonly directory: string;

  /** Whether this user may mount one here. */
  static isPossible(): boolean {
    if (process.platform !== "linux") return false;
    const disk = SmallDisk.mount(64 * 1024);
    disk?.unmount();
    return disk !== null;
  }

  /** Null when this user, or this machine, may not mount. */
  static mount(sizeBytes: number): SmallDisk | null {
    const directory = mkdtempSync(join(tmpdir(), "ferrite-small-disk-"));
    const words = ["-t", "tmpfs", "-o", `size=${sizeBytes},mode=0700`, "tmpfs", directory];
    if (spawnSync("mount", words).status === 0) return new SmallDisk(directory);
    rmSync(directory, { recursive: true });
    return null;
  }

  private constructor(directory: string) {
    this.directory = directory;
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.directory);
    return bavail * bsize;
  }

  /** Takes all the room there is with a file beside the data; again, when the data has given some back. */
  fill(): void {
    const free = this.freeBytes;
    if (free > 0) writeFileSync(this.#ballast(), Buffer.alloc(free), { flag: "a" });
  }

  /** Removes what `fill` has written. */
  relieve(): void {
    unlinkSync(this.#ballast());
  }

  unmount(): void {
    const { status, stderr } = spawnSync("umount", [this.directory]);
    if (status !== 0) throw new Error(`umount ${this.directory}: ${stderr.toString()}`);
    rmSync(this.directory, { recursive: true });
  }

  #ballast(): string {
    return join(this.directory, "ballast");
  }
}
