/**
 * The wall clock of one node, moved while it runs by libfaketime (package `faketime` of Debian). Monotonic time goes on as
 * it is: that is how a clock jumps that somebody sets.
 */
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where distributions put it; the first level is that of architectures. */
const LIBRARY_FOLDERS = ["/usr/lib", "/usr/lib64", "/usr/local/lib"];
const LIBRARY = join("faketime", "libfaketimeMT.so.1");
/** The library looks into its file so often. */
const LOOK_EVERY_SECONDS = 1;

export class ShiftedClock {
  readonly environment: Readonly<Record<string, string>>;
  readonly #file: string;

  /** `file` is where the shift is kept; not on the node's own disk. */
  constructor(library: string, file: string) {
    this.#file = file;
    this.environment = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: String(LOOK_EVERY_SECONDS),
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
    this.set(0);
  }

  /** Path of the library, or null when it is not installed. */
  static library(): string | null {
    for (const folder of LIBRARY_FOLDERS) {
      if (!existsSync(folder)) continue;
      for (const path of [join(folder, LIBRARY), ...ofArchitectures(folder)]) {
        if (existsSync(path)) return path;
      }
    }
    return null;
  }

  /** The node's wall clock is so far ahead (negative: behind), within a second from now. */
  set(aheadSeconds: number): void {
    writeFileSync(this.#file, `${aheadSeconds >= 0 ? "+" : ""}${aheadSeconds}\n`);
  }
}

function ofArchitectures(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.includes("-linux-"));
  return names.map((name) => join(folder, name, LIBRARY));
}
