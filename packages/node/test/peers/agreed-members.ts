/**
 * What the log of a cluster says about its members, as a list of configurations that a majority has agreed to: the part of
 * Raft that forming and joining rest on, and nothing more of it. A node knows a prefix of the list.
 */

/** A disk under its name. */
export interface Seat {
  readonly id: string;
  readonly name: string;
}

export interface Configuration {
  readonly voters: readonly Seat[];
  readonly learners: readonly Seat[];
}

export class AgreedMembers {
  readonly #configurations: Configuration[];

  constructor(founders: readonly Seat[]) {
    this.#configurations = [{ voters: founders.map(seatOf), learners: [] }];
  }

  get version(): number {
    return this.#configurations.length - 1;
  }

  get latest(): Configuration {
    return this.#configurations[this.version];
  }

  /** Of two disks of one name the newer one, as a node that knows so much of the log says it. */
  membersAt(version: number): readonly Seat[] {
    const { voters, learners } = this.#configurations[version];
    const joining = new Set(learners.map(({ name }) => name));
    return [...voters.filter(({ name }) => !joining.has(name)), ...learners];
  }

  /** Would these disks be enough to agree on anything? */
  isMajority(ids: ReadonlySet<string>, configuration: Configuration = this.latest): boolean {
    const { voters } = configuration;
    return voters.filter(({ id }) => ids.has(id)).length * 2 > voters.length;
  }

  /** A new disk becomes a learner. False when those who can talk are too few. */
  admit(newcomer: Seat, reachable: ReadonlySet<string>): boolean {
    if (!this.isMajority(reachable)) return false;
    const { voters, learners } = this.latest;
    const others = learners.filter(({ name }) => name !== newcomer.name);
    this.#configurations.push({ voters, learners: [...others, seatOf(newcomer)] });
    return true;
  }

  /** A learner becomes a voter, in the place of the older disk of its name (O07): both majorities agree. */
  promote(learner: Seat, reachable: ReadonlySet<string>): boolean {
    const { voters, learners } = this.latest;
    if (!learners.some(({ id }) => id === learner.id)) return false;
    const next: Configuration = {
      voters: [...voters.filter(({ name }) => name !== learner.name), seatOf(learner)],
      learners: learners.filter(({ id }) => id !== learner.id),
    };
    if (!this.isMajority(reachable) || !this.isMajority(reachable, next)) return false;
    this.#configurations.push(next);
    return true;
  }
}

function seatOf({ id, name }: Seat): Seat {
  return { id, name };
}
