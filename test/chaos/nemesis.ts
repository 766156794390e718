/** Makes faults, one after the other and sometimes two at once, with rests in which everything has to become well again. */
import { pause } from "../e2e/harness/cluster.ts";
import type { Prng } from "../sim/world/prng.ts";
import type { AimedFault, FaultKind } from "./faults/fault.ts";
import { drawMs } from "./faults/fault.ts";
import type { Machines } from "./machines.ts";

/** Two faults at once with this probability; the second begins so long behind the first at the most. */
const OVERLAP_PROBABILITY = 0.25;
const OVERLAP_DELAY_MAX_MS = 2_000;
const REST_MIN_MS = 500;
const REST_MAX_MS = 2_500;
/** Looks for another kind so often when one finds nobody to aim at. */
const AIMS_MAX = 20;

/** A fault that was made. Times are the history's milliseconds. */
export interface MadeFault {
  readonly kind: string;
  readonly about: string;
  readonly hit: readonly number[];
  readonly keepsMajority: boolean;
  readonly startedMs: number;
  /** What it did was taken back. */
  endedMs: number;
  /** All nodes were ready again. */
  wellMs: number;
}

export interface NemesisPorts {
  readonly machines: Machines;
  readonly random: Prng;
  readonly kinds: readonly FaultKind[];
  readonly nowMs: () => number;
  /** A fault begins. */
  readonly onBegin: (fault: MadeFault) => void;
  /** Everything is well again after these. */
  readonly onWell: (round: readonly MadeFault[]) => void;
  readonly abort: AbortSignal;
}

export class Nemesis {
  /** Faults that were at work at the same time stand together. */
  readonly rounds: MadeFault[][] = [];
  readonly #ports: NemesisPorts;

  constructor(ports: NemesisPorts) {
    this.#ports = ports;
  }

  /** Begins no fault after `untilMs` of the history. Rejects when nodes do not become ready between faults. */
  async run(untilMs: number): Promise<void> {
    const { random, abort, onWell, nowMs } = this.#ports;
    while (nowMs() < untilMs && !abort.aborted) {
      const round = await this.#round(random.chance(OVERLAP_PROBABILITY) ? 2 : 1);
      await this.#becomesWell();
      for (const fault of round) fault.wellMs = nowMs();
      await this.#sleep(drawMs(random, REST_MIN_MS, REST_MAX_MS));
      if (round.length > 0) onWell(round);
    }
  }

  async #round(count: number): Promise<MadeFault[]> {
    const claimed = new Set<number>();
    let kinds = this.#ports.kinds;
    const faults: MadeFault[] = [];
    const ends: Promise<void>[] = [];
    for (let number = 0; number < count; number++) {
      if (number > 0) await this.#sleep(drawMs(this.#ports.random, 0, OVERLAP_DELAY_MAX_MS));
      const chosen = await this.#choose(kinds, claimed);
      if (chosen === null) break;
      if (chosen.kind.takesCopies) kinds = kinds.filter((kind) => !kind.takesCopies);
      for (const node of chosen.aimed.hit) claimed.add(node);
      const fault = this.#note(chosen.kind.name, chosen.aimed);
      if (faults.push(fault) === 1) this.rounds.push(faults);
      ends.push(this.#carryOut(chosen.aimed, fault));
    }
    await Promise.all(ends);
    return faults;
  }

  async #choose(
    kinds: readonly FaultKind[],
    claimed: ReadonlySet<number>,
  ): Promise<{ kind: FaultKind; aimed: AimedFault } | null> {
    if (kinds.length === 0) return null;
    const { machines, random } = this.#ports;
    const free = machines.nodeIndexes.filter((node) => !claimed.has(node));
    const leader = await machines.leader();
    for (let attempt = 0; attempt < AIMS_MAX; attempt++) {
      const kind = random.pick(kinds);
      const aimed = kind.aim({ machines, random, free, leader });
      if (aimed !== null) return { kind, aimed };
    }
    return null;
  }

  #note(kind: string, aimed: AimedFault): MadeFault {
    const { about, hit, keepsMajority } = aimed;
    const startedMs = this.#ports.nowMs();
    const times = { startedMs, endedMs: startedMs, wellMs: startedMs };
    const fault = { kind, about, hit, keepsMajority, ...times };
    this.#ports.onBegin(fault);
    return fault;
  }

  async #carryOut(aimed: AimedFault, fault: MadeFault): Promise<void> {
    await aimed.begin();
    await this.#sleep(aimed.durationMs);
    await aimed.end();
    fault.endedMs = this.#ports.nowMs();
  }

  async #becomesWell(): Promise<void> {
    const { machines } = this.#ports;
    await Promise.all(machines.nodeIndexes.map((node) => machines.cluster.ready(node)));
  }

  /** Shorter when the run is to end. */
  async #sleep(ms: number): Promise<void> {
    const { abort } = this.#ports;
    if (abort.aborted) return;
    let wake = (): void => undefined;
    const aborted = new Promise<void>((resolve) => (wake = resolve));
    abort.addEventListener("abort", wake);
    await Promise.race([pause(ms), aborted]);
    abort.removeEventListener("abort", wake);
  }
}
