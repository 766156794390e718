/** The disk of one node, as a test would have it: it hangs or is slow from now on, until it is mended. */
import { rmSync, writeFileSync } from "node:fs";

const PRELOAD = new URL("hung-disk-preload.ts", import.meta.url).href;

export class HungDisk {
  /** For the node's process: nothing that it syncs is held up until `hang` or `slow`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #hangFile: string;
  readonly #slowFile: string;

  /** `stem`: where the flag files lie, which nothing else may be named like; not on the node's own disk. */
  constructor(stem: string) {
    this.#hangFile = `${stem}.hangs`;
    this.#slowFile = `${stem}.slow`;
    this.environment = {
      NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import=${PRELOAD}`,
      TEST_DISK_HANGS_WHILE: this.#hangFile,
      TEST_DISK_SLOW_WHILE: this.#slowFile,
    };
  }

  /** From now on no sync comes back. Those that are under way do. */
  hang(): void {
    writeFileSync(this.#hangFile, "");
  }

  /** From now on each sync takes so much longer. */
  slow(delayMs: number): void {
    writeFileSync(this.#slowFile, String(delayMs));
  }

  /** What hung comes back, and nothing is slow any more. */
  mend(): void {
    rmSync(this.#hangFile, { force: true });
    rmSync(this.#slowFile, { force: true });
  }
}
