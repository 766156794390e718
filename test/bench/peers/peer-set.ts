import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { BenchError } from "../errors.ts";
import { startEncryptedFerrite } from "./encrypted-ferrite.ts";
import { startEtcd } from "./etcd.ts";
import { startFerrite } from "./ferrite.ts";
import type { Peer } from "./peer.ts";
import { versionOf } from "./programs.ts";
import { startMemoryRedis, startReplicatedRedis, startTlsRedis } from "./redis.ts";

export type PeerName =
  | "ferrite"
  | "encryptedFerrite"
  | "replicatedRedis"
  | "memoryRedis"
  | "tlsRedis"
  | "etcd";

const starters: Readonly<Record<PeerName, (folder: string) => Promise<Peer>>> = {
  ferrite: (folder) => startFerrite(folder),
  encryptedFerrite: startEncryptedFerrite,
  replicatedRedis: startReplicatedRedis,
  memoryRedis: startMemoryRedis,
  tlsRedis: startTlsRedis,
  etcd: startEtcd,
};

/** Programs that a peer needs and Debian has packages for. */
const programs: Readonly<Record<PeerName, readonly string[]>> = {
  ferrite: [],
  encryptedFerrite: [],
  replicatedRedis: ["redis-server"],
  memoryRedis: ["redis-server"],
  tlsRedis: ["redis-server"],
  etcd: ["etcd"],
};

/** Starts peers when a row first asks for them, and ends all of them. */
export class PeerSet {
  readonly #folder: string;
  readonly #running = new Map<PeerName, Peer>();
  readonly #versions = new Map<string, string>();
  #startCount = 0;
  #closed = false;

  /** Data of the peers is kept below `folder`, which decides on which disk they are measured. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The programs that are not installed. */
  missingPrograms(name: PeerName): readonly string[] {
    return programs[name].filter((program) => versionOf(program) === null);
  }

  /** Throws BenchError if the peer has ended, does not come up, or the set is closed. */
  async get(name: PeerName): Promise<Peer> {
    if (this.#closed) {
      throw new BenchError("stopped");
    }
    const running = this.#running.get(name);
    if (running !== undefined) {
      running.assertRunning();
      return running;
    }
    const folder = join(this.#folder, `${name}-${this.#startCount++}`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const peer = await starters[name](folder);
    this.#running.set(name, peer);
    this.#versions.set(peer.name, peer.version);
    return peer;
  }

  /** Stops all but the named ones, so that idle servers take nothing from those measured. */
  async stopAllBut(names: readonly PeerName[]): Promise<void> {
    const ending = [...this.#running].filter(([name]) => !names.includes(name));
    for (const [name] of ending) {
      this.#running.delete(name);
    }
    await Promise.all(ending.map(([, peer]) => peer.stop()));
  }

  /** Stops all; from here on a row that asks for a peer fails, which ends the run. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.stopAllBut([]);
  }

  /** Name and version of all that ran. */
  versions(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#versions);
  }
}
