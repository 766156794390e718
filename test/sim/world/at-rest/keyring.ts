/**
 * The node keys of a simulated node, in a file on its disk. The rules are those of production (packages/node/src/at-rest): a new
 * key is durable before anything is encrypted with it, an old one goes after the last file that needs it. The file itself is in
 * the clear here: what is simulated is what becomes of the files below the keys.
 */
import {
  atRestKeyBytes,
  writeFileDurably,
  type AtRestKeys,
  type RandomBytes,
} from "@ferrite/storage";
import type { VirtualDisk } from "../virtual-disk.ts";

interface KeyringContents {
  readonly acceptsPlainFiles: boolean;
  readonly lastKeyId: number;
  /** Newest first: that one is current. */
  readonly keys: readonly { readonly id: number; readonly hex: string }[];
}

export interface KeyringHome {
  readonly disk: VirtualDisk;
  readonly path: string;
  readonly nodeId: string;
  readonly randomBytes: RandomBytes;
}

/** As in production: with so many keys files have to be rewritten first. */
const KEYS_MAX = 16;

export class SimKeyring {
  readonly #home: KeyringHome;
  #contents: KeyringContents;

  private constructor(home: KeyringHome, contents: KeyringContents) {
    this.#home = home;
    this.#contents = contents;
  }

  /** What an earlier life has left; null when there is none. */
  static open(home: KeyringHome): SimKeyring | null {
    if (!home.disk.exists(home.path)) return null;
    const handle = home.disk.open(home.path, "read");
    const bytes = Buffer.alloc(handle.sizeBytes());
    handle.read(bytes, 0);
    handle.close();
    return new SimKeyring(home, JSON.parse(bytes.toString("latin1")) as KeyringContents);
  }

  /** A first one, durably. */
  static create(home: KeyringHome, acceptsPlainFiles: boolean): SimKeyring {
    const none = { acceptsPlainFiles, lastKeyId: 0, keys: [] };
    const keyring = new SimKeyring(home, none);
    keyring.rotate();
    return keyring;
  }

  get isSettled(): boolean {
    return this.#contents.keys.length === 1 && !this.#contents.acceptsPlainFiles;
  }

  keys(): AtRestKeys {
    const [current, ...older] = this.#contents.keys.map(({ id, hex }) => {
      return { id, bytes: Uint8Array.from(Buffer.from(hex, "hex")) };
    });
    const { acceptsPlainFiles } = this.#contents;
    return { nodeId: this.#home.nodeId, current, older, acceptsPlainFiles };
  }

  /** A new key in front; false when there are too many already. Throws what the disk says; then all is as it was. */
  rotate(): boolean {
    const { keys, lastKeyId } = this.#contents;
    if (keys.length >= KEYS_MAX) return false;
    const id = lastKeyId + 1;
    const hex = Buffer.from(this.#home.randomBytes(atRestKeyBytes)).toString("hex");
    this.#replace({ ...this.#contents, lastKeyId: id, keys: [{ id, hex }, ...keys] });
    return true;
  }

  /** Everything is encrypted with the current key. Throws what the disk says; then all is as it was. */
  settle(): void {
    const keys = this.#contents.keys.slice(0, 1);
    this.#replace({ ...this.#contents, acceptsPlainFiles: false, keys });
  }

  #replace(contents: KeyringContents): void {
    writeFileDurably(this.#home.disk, this.#home.path, Buffer.from(JSON.stringify(contents)));
    this.#contents = contents;
  }
}
