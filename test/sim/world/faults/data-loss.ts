/**
 * Disks that lose what they had, or have it changed: wiped, bits that flip, sectors that land elsewhere, syncs that were none. One at a
 * time, and the next only when the cluster has made good for the last: what a majority of the disks holds must not be lost, and
 * that is the most that can be asked for. A disk that lies about syncs *and* goes on after a power cut is outside of what any
 * majority can bear: it has promised votes and copies that are gone, and nobody can know. Its operator replaces it.
 */
import type { SimNode } from "../sim-node.ts";
import { flipBit, misdirectSector } from "./disk-damage.ts";
import type { FaultScene } from "./fault-scene.ts";
import type { ProcessFaults } from "./process-faults.ts";

export interface DataLossOptions {
  /** Those whose copies count; empty while nobody can say. */
  readonly voters: () => readonly SimNode[];
  /** All are members, have everything, and repair nothing. */
  readonly isWhole: () => boolean;
}

const LOOK_MS = 200;
const WAIT_MS = 4000;
/** Fewer voters can not do without one of them. */
const VOTERS_MIN = 3;
const BACK_WITHIN_MS = [5, 500, 3000];

export class DataLoss {
  readonly #scene: FaultScene;
  readonly #processes: ProcessFaults;
  readonly #options: DataLossOptions;
  /** Whose disk has lost something that is not made good for yet. */
  #suffering: SimNode | null = null;
  #isPending = false;

  constructor(scene: FaultScene, processes: ProcessFaults, options: DataLossOptions) {
    this.#scene = scene;
    this.#processes = processes;
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#suffering === null;
  }

  /** Something was begun of which the worst is still to come: it comes, even when no new faults do. */
  get isPending(): boolean {
    return this.#isPending;
  }

  /** As soon as the cluster can bear it, if that is soon enough. */
  strike(withinMs: number = WAIT_MS): void {
    if (this.#suffering !== null) return;
    const voters = this.#options.voters();
    if (voters.length < VOTERS_MIN || !this.#options.isWhole()) {
      if (withinMs <= 0) return;
      this.#scene.scheduler.after(LOOK_MS, () => {
        if (!this.#scene.isHealed) this.strike(withinMs - LOOK_MS);
      });
      return;
    }
    const node = this.#scene.prng.pick(voters);
    this.#suffering = node;
    switch (this.#scene.prng.between(0, 5)) {
      case 0:
        this.#wipe(node);
        break;
      case 1:
        this.#lie(node);
        break;
      case 2:
        this.#damage(node, "misdirected write", misdirectSector);
        break;
      default:
        this.#damage(node, "bit flip", flipBit);
    }
  }

  /** Its disk is damaged in a way that it does not repair by itself: an operator puts another one in. */
  givenUp(node: SimNode): void {
    this.#scene.count("damaged disk that wants an operator");
    this.#replace(node);
  }

  #wipe(node: SimNode): void {
    this.#scene.count("wiped disk");
    if (node.isUp) node.kill();
    this.#scene.killed(node);
    this.#replace(node);
    this.#lookLater();
  }

  #replace(node: SimNode): void {
    node.replaceDisk();
    this.#processes.startAgain(node, this.#scene.prng.pick(BACK_WITHIN_MS));
  }

  /** What it calls synced is not; then the power goes, and with it the disk. */
  #lie(node: SimNode): void {
    this.#scene.count("lost syncs");
    node.disk.isLying = true;
    this.#isPending = true;
    const { disk } = node;
    this.#scene.until(3000, () => {
      this.#isPending = false;
      if (node.disk === disk && !disk.hasBrokenPromises) {
        // Also one that is not up yet: it may be reading what it will start from.
        node.kill();
        this.#scene.killed(node);
        this.#processes.startAgain(node, this.#scene.prng.pick(BACK_WITHIN_MS));
      }
      this.#lookLater();
    });
  }

  #damage(node: SimNode, kind: string, damage: typeof flipBit): void {
    const { log, snapshots } = node.places;
    const places = [log.directory, snapshots.directory, log.voteFile!];
    // Behind the back of a node that runs, or of one that is down.
    const isFirst = this.#scene.prng.chance(0.5);
    const strike = (): void => {
      const place = damage(node.disk, places, this.#scene.prng);
      if (place === null) return;
      this.#scene.count(`${kind} in ${kindOf(place, node)}`);
      this.#scene.note(`${node.label}: ${place}`);
    };
    if (isFirst) strike();
    this.#isPending = true;
    this.#scene.until(isFirst ? 2000 : 0, () => {
      this.#isPending = false;
      if (node.isUp) {
        if (this.#scene.prng.chance(0.5)) node.kill();
        else node.killProcess();
        this.#scene.killed(node);
      }
      if (!isFirst) strike();
      this.#processes.startAgain(node, this.#scene.prng.pick(BACK_WITHIN_MS));
      this.#lookLater();
    });
  }

  /** The worst has happened: from here on it can become whole. */
  #lookLater(): void {
    this.#scene.scheduler.after(LOOK_MS, () => {
      if (this.#options.isWhole()) this.#suffering = null;
      else this.#lookLater();
    });
  }
}

function kindOf(place: string, { places }: SimNode): string {
  if (place.endsWith(places.log.voteFile!)) return "hard state";
  return place.includes(`${places.snapshots.directory}/`) ? "snapshot" : "log";
}
