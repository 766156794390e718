/**
 * The members of a simulated cluster through all their changes: who asks for them, over the real commands, which nodes are started
 * for them, and what has to have become of them in the end.
 */
import { FEATURE_LEVEL_MAX, underWay } from "@ferrite/node/simulation";
import type { Prng } from "../prng.ts";
import type { Scheduler } from "../scheduler.ts";
import type { SimNode } from "../sim-node.ts";
import { askNode } from "./operator.ts";

export interface MembershipPartOptions {
  /** Those that run, or should: changed in place. */
  readonly nodes: SimNode[];
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  /** Operators ask for changes all the time. */
  readonly churns: boolean;
  /** Makes a node with an empty disk. */
  readonly newNode: (name: string) => SimNode;
  /** Its clients lose their connections. */
  readonly ended: (node: SimNode) => void;
  readonly count: (kind: string) => void;
  readonly trace: (line: string) => void;
}

const NODES_MAX = 6;
const PAUSE_MS_MAX = 2500;
/** Of nodes that are started before somebody invites them. */
const EARLY_RATE = 0.3;
const TIDY_MS = 500;

export class MembershipPart {
  readonly #options: MembershipPartOptions;
  readonly #nodes: SimNode[];
  #names: number;
  #isHealed = false;
  /** Last change that was counted. */
  #counted = 0;

  constructor(options: MembershipPartOptions) {
    this.#options = options;
    this.#nodes = options.nodes;
    this.#names = options.nodes.length;
  }

  start(): void {
    if (this.#options.churns) this.#askLater();
  }

  /** Nobody asks for changes any more; what is under way is brought to its end. */
  heal(): void {
    this.#isHealed = true;
    this.#tidyLater();
  }

  /** A node has learnt that it is no member any more, and ends in order. */
  removed(node: SimNode): void {
    if (!node.isUp || !this.#nodes.includes(node)) return;
    this.#options.count("removed node ends");
    this.#retire(node);
  }

  /** Members can be changed: until all have supported that once, not even one that is lost can be replaced. */
  get isReady(): boolean {
    return (this.#newest()?.replica?.machine.members.level ?? 0) >= FEATURE_LEVEL_MAX;
  }

  /** The nodes of which the newest configuration anybody has applied counts votes; none while it is changing. */
  voters(): readonly SimNode[] {
    const newest = this.#newest();
    if (newest === null) return [];
    const { machine } = newest.replica!;
    const { voters, votersOutgoing } = machine.configuration;
    const nodes = this.#nodes.filter(({ member }) => voters.includes(member.id));
    const isWhole = nodes.length === voters.length && votersOutgoing.length === 0;
    return isWhole && underWay(machine.members.change) === null ? nodes : [];
  }

  /** No change is under way, and every node that runs is a member by the records of all of them. */
  get isSettled(): boolean {
    return this.#nodes.every((node) => {
      if (!node.isUp) return false;
      const { members } = node.replica!.machine;
      return (
        underWay(members.change) === null &&
        members.all().length === this.#nodes.length &&
        this.#nodes.every(({ member }) => members.get(member.id)?.isLeaving === false)
      );
    });
  }

  describe(): string {
    const tables = this.#nodes.map((node) => {
      const members = node.replica?.machine.members;
      return `${node.label} up ${node.isUp}: ${members
        ?.all()
        .map(
          ({ record, isLeaving }) =>
            `${record.name} ${record.id.slice(-2)}${isLeaving ? " leaving" : ""}`,
        )
        .join(", ")}; ${JSON.stringify(members?.change)}`;
    });
    return tables.join("\n    ");
  }

  /** A change that some node has applied the end of. */
  changeEnded(change: {
    readonly id: number;
    readonly kind: string;
    readonly phase: string;
  }): void {
    if (change.id <= this.#counted) return;
    this.#counted = change.id;
    this.#options.count(`membership: ${change.kind} ${change.phase}`);
  }

  // ---- operators ------------------------------------------------------------------------------------------------

  #askLater(): void {
    const { scheduler, prng } = this.#options;
    scheduler.after(prng.next() * PAUSE_MS_MAX, () => {
      if (this.#isHealed) return;
      this.#askSomething();
      this.#askLater();
    });
  }

  #askSomething(): void {
    const { prng } = this.#options;
    const name = prng.pick(this.#nodes).member.name;
    switch (prng.between(0, 9)) {
      case 0:
      case 1:
      case 2:
        return this.#add();
      case 3:
      case 4:
        return this.#ask("REMOVE", name);
      case 5:
        return this.#replace(name);
      case 6:
        return this.#ask("DEMOTE", name);
      case 7:
        return this.#ask("PROMOTE", this.#learner() ?? name);
      default:
        if (prng.chance(0.5)) return this.#ask("CANCEL");
        return this.#ask("PRIORITY", name, String(prng.between(0, 101)));
    }
  }

  /** One that could be promoted: of a name drawn from all that is rarely true. */
  #learner(): string | undefined {
    const learners = this.#newest()?.replica?.machine.configuration.learners ?? [];
    return this.#nodes.find(({ member }) => learners.includes(member.id))?.member.name;
  }

  #add(): void {
    const { prng } = this.#options;
    if (this.#nodes.length >= NODES_MAX) return;
    const name = this.#newName();
    const asLearner = prng.chance(0.2) ? ["LEARNER"] : [];
    this.#withNewcomer(name, () => this.#ask("ADD", name, ...asLearner));
  }

  #replace(name: string): void {
    if (this.#nodes.length >= NODES_MAX) return;
    const newcomer = this.#newName();
    this.#withNewcomer(newcomer, () => this.#ask("REPLACE", name, "BY", newcomer));
  }

  #withNewcomer(name: string, ask: () => void): void {
    const isEarly = this.#options.prng.chance(EARLY_RATE);
    if (!isEarly) ask();
    this.#begin(name);
    if (isEarly) ask();
  }

  #begin(name: string): void {
    const node = this.#options.newNode(name);
    this.#nodes.push(node);
    node.start();
  }

  #newName(): string {
    return `node${++this.#names}`;
  }

  #ask(...words: readonly string[]): void {
    const { prng, count, trace } = this.#options;
    const node = prng.pick(this.#nodes);
    if (!node.isUp || node.isPaused) return;
    count("membership: asked");
    trace(`${node.label} is asked to ${words.join(" ")}`);
    askNode(node, ["FERRITE.MEMBER", ...words], this.#options, (reply) =>
      trace(`${node.label} to ${words.join(" ")}: ${JSON.stringify(reply)}`),
    );
  }

  // ---- the end --------------------------------------------------------------------------------------------------

  #tidyLater(): void {
    this.#options.scheduler.after(TIDY_MS, () => {
      if (this.isSettled) return;
      this.#tidy();
      this.#tidyLater();
    });
  }

  /** Nodes that nobody wants are ended; a change that waits for a node that nobody starts is taken back. */
  #tidy(): void {
    const newest = this.#newest();
    if (newest === null) return;
    const { members } = newest.replica!.machine;
    const change = underWay(members.change);
    if (change !== null) {
      const awaited = change.newcomer;
      const isThere = this.#nodes.some(({ member }) => member.name === awaited);
      if (awaited !== null && change.phase === "waiting" && !isThere) this.#ask("CANCEL");
      return;
    }
    const names = new Set(members.all().map(({ record }) => record.name));
    const unwanted = this.#nodes.filter(({ member }) => !names.has(member.name));
    for (const node of unwanted) this.#retire(node);
  }

  #newest(): SimNode | null {
    const up = this.#nodes.filter(({ isUp }) => isUp);
    const appliedOf = (node: SimNode): number => node.replica!.machine.appliedIndex;
    return up.reduce<SimNode | null>((newest, node) => {
      return newest === null || appliedOf(node) > appliedOf(newest) ? node : newest;
    }, null);
  }

  #retire(node: SimNode): void {
    this.#options.trace(`${node.label} is taken out of service`);
    if (node.isUp) node.kill();
    this.#options.ended(node);
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
  }
}
