/** One run: starts the cluster and its clients, lets the nemesis work, heals, checks, and clears away. */
import { pause } from "../e2e/harness/cluster.ts";
import { SmallDisk } from "../e2e/harness/small-disk.ts";
import { Prng } from "../sim/world/prng.ts";
import { checkHistory } from "./checks/check-history.ts";
import { readEverything } from "./checks/final-reads.ts";
import { sameState } from "./checks/same-state.ts";
import { verdict, type Verdict } from "./checks/verdict.ts";
import { History } from "./clients/history.ts";
import type { Model, Operation } from "./clients/operation.ts";
import { Population } from "./clients/population.ts";
import { minorityOf } from "./faults/fault.ts";
import { gapsOf, joined, statisticsOf, type Acknowledgements } from "./gaps.ts";
import { Machines } from "./machines.ts";
import { Nemesis, type MadeFault } from "./nemesis.ts";
import type { ChaosNetwork } from "./network/chaos-network.ts";
import { NamespaceNetwork } from "./network/namespace-network.ts";
import { ProxyNetwork } from "./network/proxy-network.ts";
import type { ChaosOptions } from "./options.ts";
import { faultRows, type ChaosReport, type OperationRow } from "./report.ts";

/** Snapshots every few seconds, so that faults meet them. */
const SETTINGS = {
  "log-segment-bytes": "1mb",
  "snapshot-log-bytes": "512kb",
  "proposal-timeout-ms": "10000",
};
/** Undisturbed at the beginning, so that there is something to disturb. */
const WARM_UP_MS = 1_500;
const MODELS: readonly Model[] = ["register", "list", "counter", "set"];

export interface RunPorts {
  print(line: string): void;
  readonly abort: AbortSignal;
}

export class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #ports: RunPorts;
  readonly #random: Prng;
  readonly #missing: Record<string, string> = {};
  readonly #verdicts: Verdict[] = [];
  readonly #startedAt: string = new Date().toISOString();

  constructor(options: ChaosOptions, ports: RunPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#random = new Prng(options.seed);
  }

  /** Rejects when the run itself could not be made; what it found is in the report. */
  async run(): Promise<ChaosReport> {
    const network = await this.#network();
    const machines = await Machines.start(network, {
      nodes: this.#options.nodes,
      settings: SETTINGS,
      smallDisks: this.#smallDisks(),
    });
    let isGood = false;
    try {
      await Promise.all(machines.nodeIndexes.map((node) => machines.cluster.ready(node)));
      const report = await this.#runOn(machines);
      isGood = report.violations === 0;
      return report;
    } finally {
      await this.#clearAway(machines, isGood && !this.#options.keep);
    }
  }

  async #runOn(machines: Machines): Promise<ChaosReport> {
    const history = new History();
    const population = new Population(machines, history, this.#random.fork(), this.#options);
    const probes = population.probes.map(acknowledgements);
    const nemesis = this.#nemesis(machines, history, probes);
    try {
      await pause(WARM_UP_MS);
      await nemesis.run(this.#options.minutes * 60_000);
      this.#judge("ready again", nemesis.rounds.flat().length, []);
    } catch (error) {
      // A node that does not come back is a finding; the others may tell more.
      this.#judge("ready again", nemesis.rounds.flat().length, [messageOf(error)]);
    } finally {
      await population.stop();
    }
    const durationMs = history.nowMs();
    await this.#check(machines, history);
    const replies = history.operations.length;
    this.#judge("replies", replies, population.violations);
    this.#judge("processes", nemesis.rounds.flat().length, machines.unexpectedEnds);
    const clients = population.all.length;
    return this.#report({ history, clients, probes, rounds: nemesis.rounds, durationMs, machines });
  }

  async #network(): Promise<ChaosNetwork> {
    if (this.#options.network === "namespaces")
      return await NamespaceNetwork.create(this.#options.nodes);
    const random = this.#random.fork();
    return new ProxyNetwork(() => random.next());
  }

  /** A minority, so that the others go on syncing to a real disk. */
  #smallDisks(): number[] {
    if (!SmallDisk.isPossible()) return [];
    return Array.from({ length: minorityOf(this.#options.nodes) }, (_, index) => index);
  }

  #nemesis(machines: Machines, history: History, probes: readonly Acknowledgements[]): Nemesis {
    const kinds = this.#options.kinds.filter((kind) => {
      const why = kind.missing(machines);
      if (why !== null) this.#missing[kind.name] = why;
      return why === null;
    });
    for (const [kind, why] of Object.entries(this.#missing))
      this.#ports.print(`skipped: ${kind}, ${why}`);
    return new Nemesis({
      machines,
      random: this.#random.fork(),
      kinds,
      nowMs: () => history.nowMs(),
      onBegin: (fault) => this.#printBegin(fault),
      onWell: (round) => this.#printWell(round, probes),
      abort: this.#ports.abort,
    });
  }

  async #check(machines: Machines, history: History): Promise<void> {
    if (this.#ports.abort.aborted) return this.#judge("run", 0, ["it was ended before its time"]);
    if (this.#verdicts.some(({ violations }) => violations.length > 0)) return;
    const canary = this.#options.canary;
    if (canary !== null) this.#ports.print(`canary: ${await canary(machines, history)}`);
    this.#verdicts.push(await sameState(machines));
    await readEverything(machines, history);
    this.#verdicts.push(...checkHistory(history.operations));
  }

  #judge(checker: string, examined: number, violations: readonly string[]): void {
    this.#verdicts.push(verdict(checker, examined, violations));
  }

  #report(run: {
    readonly history: History;
    readonly clients: number;
    readonly probes: readonly Acknowledgements[];
    readonly rounds: readonly (readonly MadeFault[])[];
    readonly durationMs: number;
    readonly machines: Machines;
  }): ChaosReport {
    // What was read at the end, for the checkers, is not counted.
    const asked = run.history.operations.filter(({ client }) => client < run.clients);
    return {
      startedAt: this.#startedAt,
      seed: this.#options.seed,
      nodes: this.#options.nodes,
      network: run.machines.network.description,
      clients: run.clients,
      durationMs: run.durationMs,
      missing: this.#missing,
      operations: MODELS.map((model) => operationRow(model, asked)),
      faults: faultRows(run.rounds, this.#options.nodes, run.probes),
      made: run.rounds.flat(),
      verdicts: this.#verdicts,
      violations: this.#verdicts.reduce((sum, { violations }) => sum + violations.length, 0),
    };
  }

  async #clearAway(machines: Machines, isToBeRemoved: boolean): Promise<void> {
    await machines.stop();
    if (!isToBeRemoved) {
      machines.keepData();
      this.#ports.print(`logs and data are kept in ${machines.cluster.directory}`);
    }
    machines.unmount();
    if (isToBeRemoved) await machines.cluster.close();
  }

  #printBegin({ startedMs, kind, about }: MadeFault): void {
    this.#ports.print(`${inSeconds(startedMs).padStart(7)} s  ${kind}: ${about}`);
  }

  #printWell(round: readonly MadeFault[], probes: readonly Acknowledgements[]): void {
    const { startedMs, endedMs, wellMs, ...fault } = joined(round, this.#options.nodes);
    const gaps = statisticsOf(gapsOf({ startedMs, endedMs, wellMs, ...fault }, probes));
    const which = fault.keepsMajority ? "longest write gap" : "first write after";
    const gap =
      gaps === null
        ? "no client was spared"
        : `${which} ${Math.round(gaps.maxMs)} ms, of ${gaps.count} probes`;
    const lasted = inSeconds(endedMs - startedMs);
    const ready = inSeconds(wellMs - endedMs);
    this.#ports.print(`           lasted ${lasted} s, all ready ${ready} s later; ${gap}`);
  }
}

function acknowledgements(client: {
  readonly plan: { readonly node: number };
  readonly acknowledgedMs: readonly number[];
}): Acknowledgements {
  return { node: client.plan.node, acknowledgedMs: client.acknowledgedMs };
}

function operationRow(model: Model, operations: readonly Operation[]): OperationRow {
  const ofModel = operations.filter((operation) => operation.model === model);
  const count = (outcome: string): number =>
    ofModel.filter((operation) => operation.outcome === outcome).length;
  return { model, ok: count("ok"), fail: count("fail"), unknown: count("unknown") };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function inSeconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
