/** Encryption at rest of one simulated node: its keys through all its lives, and the rewriting of its files in each. */
import type { Replica, TrackedSnapshots } from "@ferrite/node/simulation";
import type { AtRestKeys, KeyedLogWriter, RandomBytes } from "@ferrite/storage";
import type { Canary } from "../canary.ts";
import type { Prng } from "../prng.ts";
import type { Scheduler } from "../scheduler.ts";
import type { VirtualDisk } from "../virtual-disk.ts";
import { SimKeyring, type KeyringHome } from "./keyring.ts";
import { SimRewriting } from "./rewriting.ts";

export interface NodeAtRestOptions {
  readonly nodeId: string;
  readonly disk: VirtualDisk;
  /** Data of the node: its keyring, `log/` and `snapshots/` are there. */
  readonly directory: string;
  readonly prng: Prng;
  readonly canary: Canary;
  readonly isDiskFault: (error: unknown) => boolean;
}

/** What a life of the node has to be rewritten in. */
export interface AttachedLife {
  readonly log: KeyedLogWriter;
  readonly snapshots: TrackedSnapshots;
  readonly replica: Replica;
  readonly schedule: Pick<Scheduler, "after">;
  readonly onFailed: (error: Error) => void;
}

/** A data key and a nonce of the wrapping are longer: only the salt that each opening of a segment draws has this length. */
const SALT_BYTES = 8;

export class NodeAtRest {
  /** What the operator has configured: in force from the next start on. */
  isWanted = false;
  /** The disk is about to wrap a key anew; faults listen. */
  onRewrap: () => void = () => {};
  onSettled: () => void = () => {};
  readonly #options: NodeAtRestOptions;
  #keyring: SimKeyring | null = null;
  #rewriting: SimRewriting | null = null;

  constructor(options: NodeAtRestOptions) {
    this.#options = options;
  }

  /** The seed's: a run can be repeated to the byte. */
  readonly randomBytes: RandomBytes = (count) => {
    const { prng, canary } = this.#options;
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at++) bytes[at] = prng.nextUint32() >>> 24;
    return canary.reuseNonces && count === SALT_BYTES ? bytes.fill(5) : bytes;
  };

  /** The keys of the life that begins, durably; null when nothing is encrypted. Throws what the disk says. */
  open(): AtRestKeys | null {
    const { directory, disk, nodeId, canary } = this.#options;
    this.#rewriting = null;
    const path = `${directory}/keyring`;
    const home: KeyringHome = { disk, path, nodeId, randomBytes: this.randomBytes };
    this.#keyring = SimKeyring.open(home);
    if (this.#keyring === null && this.isWanted) {
      const hasPlain = ["log", "snapshots"].some(
        (name) => disk.list(`${directory}/${name}`).length > 0,
      );
      this.#keyring = SimKeyring.create(home, hasPlain);
    }
    return canary.inTheClear ? null : this.keys();
  }

  /** From now on files follow the keys. What an earlier life left unfinished goes on. */
  attach(life: AttachedLife): void {
    const keyring = this.#keyring;
    if (keyring === null || this.#options.canary.inTheClear) return;
    const { disk, directory, isDiskFault } = this.#options;
    const rewriting = new SimRewriting({
      ...life,
      disk,
      directory,
      isDiskFault,
      randomBytes: this.randomBytes,
      keys: () => keyring.keys(),
      onRewrap: () => this.onRewrap(),
      onSettled: () => {
        if (keyring.isSettled) return;
        keyring.settle();
        life.log.useKeys(keyring.keys());
        life.snapshots.useKeys(keyring.keys());
        this.onSettled();
      },
    });
    this.#rewriting = rewriting;
    if (!keyring.isSettled) rewriting.begin();
  }

  /** The node ends, in order or not. */
  detach(): void {
    this.#rewriting?.stop();
    this.#rewriting = null;
  }

  /** A new node key; false when the node is not up, has too many, or its disk does not take it. */
  rotate(): boolean {
    const rewriting = this.#rewriting;
    if (rewriting === null) return false;
    try {
      if (!this.#keyring!.rotate()) return false;
    } catch (error) {
      // As it was before: an operator would be told, and would try again.
      if (this.#options.isDiskFault(error)) return false;
      throw error;
    }
    rewriting.begin();
    return true;
  }

  /** Null when nothing is encrypted. */
  keys(): AtRestKeys | null {
    return this.#keyring?.keys() ?? null;
  }

  /** Nothing is left to be rewritten. */
  get isSettled(): boolean {
    return this.#keyring === null || this.#keyring.isSettled || this.#options.canary.inTheClear;
  }

  /** Whether the node takes encrypted files only. */
  get isSealed(): boolean {
    const keys = this.keys();
    return keys !== null && !keys.acceptsPlainFiles;
  }
}
