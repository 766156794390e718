import type { Measurement, Row } from "./rows/row.ts";
import type { PeerSet } from "./peers/peer-set.ts";
import type { BenchSettings } from "./settings.ts";
import { median } from "./statistics.ts";

export interface RoundResult {
  readonly ours: Measurement;
  readonly theirs: Measurement;
  readonly ratio: number;
}

export interface RowResult {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly oursLabel: string;
  readonly theirsLabel: string;
  readonly oursMedian: number;
  readonly theirsMedian: number;
  readonly ratioMedian: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
  readonly floor: number;
  readonly goal: number;
  readonly floorReached: boolean;
  /** What happened that must not, over all rounds. */
  readonly faults: readonly string[];
  readonly rounds: readonly RoundResult[];
}

/**
 * Measures both sides of a row in alternating rounds. Each round's ratio is taken for itself: what
 * slows the machine for a minute slows both sides of a round, and the median drops the odd one.
 */
export async function measureRow(
  row: Row,
  peers: PeerSet,
  settings: BenchSettings,
  onRound: (result: RoundResult, number: number) => void,
): Promise<RowResult> {
  await peers.stopAllBut([row.ours.peer, row.theirs.peer]);
  const rounds: RoundResult[] = [];
  const count = row.once ? 1 : settings.rounds;
  // Servers that have just been started are no subject: what is compared has been running.
  const first = row.once ? 0 : -settings.uncountedRounds;
  for (let number = first; number < count; number++) {
    const round = { peers, settings, number };
    let ours: Measurement;
    let theirs: Measurement;
    // Who goes first changes, so that neither always meets a warm or a tired machine.
    if (number % 2 === 0) {
      ours = await row.ours.measure(round);
      theirs = await row.theirs.measure(round);
    } else {
      theirs = await row.theirs.measure(round);
      ours = await row.ours.measure(round);
    }
    if (number < 0) continue;
    const result = { ours, theirs, ratio: ours.value / theirs.value };
    rounds.push(result);
    onRound(result, number);
  }
  return summarize(row, rounds);
}

function summarize(row: Row, rounds: readonly RoundResult[]): RowResult {
  const ratios = rounds.map((round) => round.ratio);
  const ratioMedian = median(ratios);
  return {
    id: row.id,
    title: row.title,
    unit: row.unit,
    oursLabel: row.ours.label,
    theirsLabel: row.theirs.label,
    oursMedian: median(rounds.map((round) => round.ours.value)),
    theirsMedian: median(rounds.map((round) => round.theirs.value)),
    ratioMedian,
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
    floor: row.floor,
    goal: row.goal,
    faults: rounds.flatMap((round) => row.fault?.(round.ours) ?? []),
    floorReached: row.moreIsBetter ? ratioMedian >= row.floor : ratioMedian <= row.floor,
    rounds,
  };
}
