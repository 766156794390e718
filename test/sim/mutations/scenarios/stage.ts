/**
 * The simulated cluster with its invariants, moved by a script: the same nodes, disks, network and virtual time as in
 * random runs. All invariants hold after every step, the history is held against the state in the end.
 */
import {
  accessPorts,
  createCommandTable,
  type Genesis,
  type Member,
} from "@ferrite/node/simulation";
import { EntryKind, encodeConfiguration, type Configuration } from "@ferrite/raft";
import { CommittedEntries } from "../../invariants/committed-entries.ts";
import { ElectionSafety } from "../../invariants/election-safety.ts";
import { LeaderAppendOnly } from "../../invariants/leader-append-only.ts";
import { LogMatching } from "../../invariants/log-matching.ts";
import { NoWayBack } from "../../invariants/no-way-back.ts";
import { SaneIndexes } from "../../invariants/sane-indexes.ts";
import { Violation, type Invariant } from "../../invariants/observer.ts";
import { checkHistory } from "../../oracle/check-history.ts";
import { splitTokens } from "../../oracle/history.ts";
import { describePayload } from "../../world/describe-payload.ts";
import { NO_CANARY } from "../../world/canary.ts";
import { Prng } from "../../world/prng.ts";
import { Scheduler } from "../../world/scheduler.ts";
import { SimNode } from "../../world/sim-node.ts";
import type { Scenario } from "./scenario.ts";
import { ScriptedNetwork } from "./scripted-network.ts";
import { STAGE_KEY, StageClient } from "./stage-client.ts";

/** Steps within which a cluster of a few nodes must have done what a scenario waits for. */
const STEPS_MAX = 400_000;
/** Until a healed cluster has come together. */
const SETTLE_MS = 20_000;

/** Ends a scenario: why is among its problems already. */
export class StageFailed extends Error {}

/** Ends a scenario whose situation did not come about with this seed. */
export class StageSkipped extends Error {}

export class Stage {
  readonly problems: string[] = [];
  readonly prng: Prng;
  readonly network: ScriptedNetwork;
  /** Members first, then joiners. */
  readonly nodes: readonly SimNode[];
  readonly client: StageClient;
  onTrace: (line: string) => void = () => undefined;
  /** A node stopped by itself: is that what the scenario is about? */
  expectsStop: (node: SimNode, error: Error) => boolean = () => false;
  /** How often a node became leader. */
  elections = 0;
  readonly #scheduler: Scheduler = new Scheduler();
  readonly #invariants: readonly Invariant[] = [
    new ElectionSafety(),
    new LeaderAppendOnly(),
    new LogMatching(),
    new CommittedEntries(),
    new SaneIndexes(),
    new NoWayBack(),
  ];
  #steps = 0;

  constructor(scenario: Scenario, seed: number) {
    this.prng = new Prng(seed);
    this.network = new ScriptedNetwork(this.#scheduler, this.prng.fork());
    this.nodes = this.#makeNodes(scenario);
    this.client = new StageClient(this.#scheduler);
    this.network.onDeliver = (from, to, payload) => {
      this.onTrace(
        `${this.nowMs.toFixed(3)} ${from.slice(-1)}>${to.slice(-1)} ${describePayload(payload)}`,
      );
    };
  }

  get nowMs(): number {
    return this.#scheduler.nowMs;
  }

  start(): void {
    for (const node of this.nodes) node.start();
  }

  /** Lets time pass. */
  run(ms: number): void {
    const endMs = this.nowMs + ms;
    this.#runWhile(() => this.nowMs < endMs);
  }

  /** Lets time pass until something is so, or so long. Says whether it is. */
  wait(isSo: () => boolean, withinMs: number): boolean {
    const endMs = this.nowMs + withinMs;
    this.#runWhile(() => !isSo() && this.nowMs < endMs);
    return isSo();
  }

  /** Lets time pass until something is so. Too late is a problem of liveness. */
  until(what: string, isSo: () => boolean, withinMs = 10_000): void {
    if (!this.wait(isSo, withinMs))
      throw new Violation("liveness", `${what} took more than ${withinMs} ms`);
  }

  /** The newest leader among these; waits for one. */
  leader(among: readonly SimNode[] = this.nodes): SimNode {
    const find = (): SimNode | undefined =>
      among
        .filter((node) => node.replica?.role() === "leader")
        .toSorted((left, right) => termOf(right) - termOf(left))[0];
    this.until("an election", () => find() !== undefined);
    return find()!;
  }

  /** A leader that has committed in its term. */
  servingLeader(among: readonly SimNode[] = this.nodes): SimNode {
    const leader = this.leader(among);
    this.until("a leader's first commit", () => {
      return leader.replica === null || this.#hasCommittedInTerm(leader);
    });
    return this.leader(among);
  }

  others(...apart: readonly SimNode[]): SimNode[] {
    return this.nodes.filter((node) => !apart.includes(node));
  }

  /** Nothing passes between these and the rest, in either direction. */
  isolate(...apart: readonly SimNode[]): void {
    for (const inside of apart) {
      for (const outside of this.others(...apart)) {
        this.network.cut(inside.member.id, outside.member.id);
        this.network.cut(outside.member.id, inside.member.id);
      }
    }
  }

  /** All links are whole; connections that a cut has made useless are made anew. */
  heal(): void {
    this.network.heal();
    for (const [position, node] of this.nodes.entries()) {
      for (const other of this.nodes.slice(position + 1)) {
        this.network.reset(node.member.id, other.member.id);
      }
    }
  }

  kill(...nodes: readonly SimNode[]): void {
    for (const node of nodes) {
      node.kill();
      this.client.nodeDied(node);
    }
  }

  killProcess(...nodes: readonly SimNode[]): void {
    for (const node of nodes) {
      node.killProcess();
      this.client.nodeDied(node);
    }
  }

  /** Writes one token and waits for its outcome. */
  write(node: SimNode): void {
    const append = this.client.write(node);
    this.until("a write", () => append.endMs !== Infinity, 30_000);
    // What begins in the same moment as it ends is beside it, and not behind it.
    this.run(0.1);
  }

  /** A change of the configuration at this leader; returns what the core says. */
  configure(leader: SimNode, configuration: Configuration): boolean {
    const { replica } = leader;
    const data = encodeConfiguration(configuration);
    const accepted = replica!.core.propose(data, EntryKind.Configuration).accepted;
    replica!.tick();
    return accepted;
  }

  /** A broken promise that only the scenario knows of. */
  violated(check: string, sentence: string): never {
    throw new Violation(check, sentence);
  }

  /** What the scenario is about did not come about: this seed shows nothing. */
  skip(): never {
    throw new StageSkipped();
  }

  /** Faults end; all come together, hold the same state, and no promise to the client was broken. */
  end(): void {
    this.network.passAll();
    this.heal();
    for (const node of this.nodes) {
      if (node.isPaused) node.resume();
      if (!node.isUp) node.start();
    }
    this.until("coming together", () => this.#isTogether(), SETTLE_MS);
    this.until("answers", () => this.client.isIdle, SETTLE_MS);
    const members = this.#members(this.leader());
    const hashes = new Set(members.map((node) => node.replica?.machine.stateHash()));
    if (hashes.size !== 1) this.problems.push("the nodes hold different states");
    const configurations = new Set(
      members.map(({ replica }) => JSON.stringify(replica?.core.status().configuration)),
    );
    if (configurations.size !== 1) {
      this.problems.push("equal configurations: nodes with one log follow different ones");
    }
    const tokens = splitTokens(members[0].valueFrom(STAGE_KEY, 0));
    this.problems.push(...checkHistory(this.client.history, new Map([[STAGE_KEY, tokens]])));
  }

  #runWhile(goesOn: () => boolean): void {
    while (this.problems.length === 0 && goesOn()) {
      if (!this.#scheduler.step()) return;
      if (this.#steps++ > STEPS_MAX) throw new Violation("bounded work", `${STEPS_MAX} steps`);
      for (const node of this.nodes) {
        const facts = node.facts();
        if (facts === null) continue;
        for (const invariant of this.#invariants) invariant.step?.(facts);
      }
    }
    if (this.problems.length > 0) throw new StageFailed();
  }

  #hasCommittedInTerm(node: SimNode): boolean {
    const { machine, core } = node.replica!;
    return machine.appliedTerm === core.term();
  }

  /** All up, with one leader, and everything applied by all that the leader's configuration knows. */
  #isTogether(): boolean {
    const leaders = this.nodes.filter((node) => node.replica?.role() === "leader");
    if (leaders.length !== 1) return false;
    const lastIndex = leaders[0].replica!.core.lastIndex();
    return this.#members(leaders[0]).every((node) => {
      const facts = node.facts();
      return facts !== null && facts.appliedIndex === lastIndex && facts.lastIndex === lastIndex;
    });
  }

  #members(leader: SimNode): readonly SimNode[] {
    const { progress } = leader.replica!.core.status();
    return this.nodes.filter((node) => node === leader || progress.has(node.member.id));
  }

  #makeNodes(scenario: Scenario): SimNode[] {
    const count = scenario.members + (scenario.joiners ?? 0);
    const all: Member[] = Array.from({ length: count }, (_, index) => ({
      id: `00000000-0000-4000-8000-00000000000${index + 1}`,
      name: `node${index + 1}`,
      peerAddress: `10.0.0.${index + 1}:16379`,
      clientAddress: `10.0.0.${index + 1}:6379`,
    }));
    const genesis: Genesis = {
      clusterId: "11111111-1111-4111-8111-111111111111",
      members: all.slice(0, scenario.members),
    };
    const table = createCommandTable();
    const access = accessPorts(table);
    const each = (run: (invariant: Invariant) => void): void => {
      for (const invariant of this.#invariants) run(invariant);
    };
    return all.map(
      (member, position) =>
        new SimNode({
          member,
          hashSeed: position,
          genesis,
          scheduler: this.#scheduler,
          network: this.network,
          prng: this.prng.fork(),
          atRestPrng: this.prng.fork(),
          table,
          access,
          diskSpeed: {
            syncMs: scenario.syncMs ?? { low: 0.2, high: 1 },
            stepMs: scenario.stepMs ?? 0.05,
          },
          canary: NO_CANARY,
          limits: { electionTimeoutMs: 150, heartbeatIntervalMs: 20, ...scenario.limits },
          events: {
            logWritten: (node, entries, marks) => {
              const facts = node.facts();
              if (facts === null) return;
              each((invariant) => invariant.logWritten?.(facts, node.mirror, entries, marks));
            },
            becameLeader: (node) => {
              this.elections++;
              each((invariant) => invariant.becameLeader?.(node.facts()!, node.mirror));
            },
            applied: (node, index, mark) => {
              const facts = node.facts();
              if (facts !== null) each((invariant) => invariant.applied?.(facts, index, mark));
            },
            usersChanged: () => undefined,
            restarted: (node) => each((invariant) => invariant.restarted?.(node.facts()!)),
            trace: (line) => this.onTrace(`${this.nowMs.toFixed(3)} ${line}`),
            failed: (node, error) => {
              if (error instanceof Violation) throw error;
              if (this.expectsStop(node, error)) return;
              this.problems.push(`${node.member.name} stopped: ${error.stack ?? error.message}`);
            },
            diskFailed: (node, error) => {
              if (scenario.expectsDiskFaults === true) return;
              this.problems.push(`${node.member.name} stopped: ${error.message}`);
            },
            ended: (node) => this.client.nodeDied(node),
          },
        }),
    );
  }
}

function termOf(node: SimNode): number {
  return node.replica?.core.term() ?? 0;
}
