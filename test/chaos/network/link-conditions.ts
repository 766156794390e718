/** What is wrong with the way from one node to another, all directions apart. Several faults may be at work at once. */

/** One direction between two nodes. */
export interface LinkCondition {
  /** Nothing arrives any more, and nobody is told. */
  readonly isCut: boolean;
  readonly delayMs: number;
  /** Up to so much is added to the delay; order is kept. */
  readonly jitterMs: number;
  /** Infinity: as fast as it goes. */
  readonly bytesPerMs: number;
}

export interface LinkChange extends Partial<LinkCondition> {
  readonly from: number;
  readonly to: number;
}

export const SOUND: LinkCondition = { isCut: false, delayMs: 0, jitterMs: 0, bytesPerMs: Infinity };

/** Takes back what one fault has done to links. */
export type Heal = () => Promise<void>;

/** Adds up what all faults of this moment do to each direction. */
export class LinkConditions {
  readonly #changes: Set<readonly LinkChange[]> = new Set();

  add(changes: readonly LinkChange[]): void {
    this.#changes.add(changes);
  }

  /** `changes`: the very list that was added. */
  remove(changes: readonly LinkChange[]): void {
    this.#changes.delete(changes);
  }

  of(from: number, to: number): LinkCondition {
    const here = [...this.#changes].flat().filter((each) => each.from === from && each.to === to);
    return here.reduce<LinkCondition>(worse, SOUND);
  }

  /** Something of this node's links is cut, whichever direction. */
  touchesCut(node: number): boolean {
    return [...this.#changes]
      .flat()
      .some(({ from, to, isCut }) => isCut === true && (from === node || to === node));
  }
}

function worse(so: LinkCondition, change: LinkChange): LinkCondition {
  return {
    isCut: so.isCut || change.isCut === true,
    delayMs: Math.max(so.delayMs, change.delayMs ?? 0),
    jitterMs: Math.max(so.jitterMs, change.jitterMs ?? 0),
    bytesPerMs: Math.min(so.bytesPerMs, change.bytesPerMs ?? Infinity),
  };
}
