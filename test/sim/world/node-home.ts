/** The disk of a simulated node, and who the node is because of it: another disk is another node under the same name (O05). */
import type { Genesis, Member } from "@ferrite/node/simulation";
import { quarantineAll, type RepairPlaces } from "@ferrite/storage";
import { NodeAtRest } from "./at-rest/node-at-rest.ts";
import type { Canary } from "./canary.ts";
import { isDamage, isDiskFault } from "./node-life.ts";
import type { Prng } from "./prng.ts";
import { VirtualDisk } from "./virtual-disk.ts";

export interface NodeHomeOptions {
  readonly member: Member;
  readonly genesis: Genesis;
  readonly prng: Prng;
  /** Of its keys at rest alone. */
  readonly atRestPrng: Prng;
  readonly canary: Canary;
  /** Of its next disk. */
  readonly newId?: () => string;
}

export const DATA_DIRECTORY = "data";
const SEGMENT_BYTES = 32 * 1024;

export class NodeHome {
  readonly #options: NodeHomeOptions;
  member: Member;
  /** Unlike that of any other disk. */
  label: string;
  disk: VirtualDisk;
  atRest: NodeAtRest;
  #disks = 1;

  constructor(options: NodeHomeOptions) {
    this.#options = options;
    this.member = options.member;
    this.label = options.member.name;
    this.disk = new VirtualDisk(options.prng.fork());
    this.atRest = this.#newAtRest();
  }

  /** Where everything is on its disk, and whose. */
  get places(): RepairPlaces {
    const owner = { clusterId: this.#options.genesis.clusterId, groupId: 0 };
    return {
      log: {
        ...owner,
        directory: `${DATA_DIRECTORY}/log`,
        segmentBytes: SEGMENT_BYTES,
        voteFile: `${DATA_DIRECTORY}/votes`,
      },
      snapshots: { ...owner, directory: `${DATA_DIRECTORY}/snapshots` },
      notePath: `${DATA_DIRECTORY}/repair`,
    };
  }

  /** An empty one is put in. */
  replaceDisk(): void {
    this.disk = new VirtualDisk(this.#options.prng.fork());
    this.#moveIn();
  }

  /** O07: nobody knows what the node has voted for. It goes on under a new id, with nothing of what it had. */
  renew(): void {
    quarantineAll(this.disk, this.places, [`${DATA_DIRECTORY}/keyring`]);
    this.#moveIn();
  }

  #moveIn(): void {
    const { newId } = this.#options;
    if (newId === undefined) throw new Error(`${this.label} has no other id to take`);
    this.member = { ...this.member, id: newId() };
    this.#disks++;
    this.label = `${this.member.name}.${this.#disks}`;
    this.atRest = this.#newAtRest();
  }

  #newAtRest(): NodeAtRest {
    const { canary, atRestPrng: prng } = this.#options;
    const nodeId = this.member.id;
    const { disk } = this;
    return new NodeAtRest({
      nodeId,
      disk,
      directory: DATA_DIRECTORY,
      prng,
      canary,
      // What a fault has damaged is met while it is rewritten, too; damage without a fault is the node's own.
      isDiskFault: (error) => isDiskFault(error) || (disk.wasDamaged && isDamage(error)),
    });
  }
}
