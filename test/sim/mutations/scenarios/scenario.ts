/** A schedule that is written down instead of drawn: what a random run would meet once in many thousands. */
import type { ReplicaLimits } from "@ferrite/node/simulation";
import { Violation } from "../../invariants/observer.ts";
import { Stage, StageFailed, StageSkipped } from "./stage.ts";

export interface Scenario {
  readonly name: string;
  /** One sentence for the table. */
  readonly about: string;
  /** Nodes that found the cluster. */
  readonly members: number;
  /** Nodes that run besides, outside of the configuration. */
  readonly joiners?: number;
  readonly limits?: Partial<ReplicaLimits>;
  /** Of one write to the log with its sync. */
  readonly syncMs?: { readonly low: number; readonly high: number };
  /** Of one step of a snapshot that is written or read. */
  readonly stepMs?: number;
  /** Disks fail as the scenario tells them to: that ends a process, and is no problem. */
  readonly expectsDiskFaults?: boolean;
  /** Says what happens. What it does not wait for goes on by itself. */
  play(stage: Stage): void;
}

/** Plays it with times and bytes that the seed decides; returns what was noticed. */
export function playScenario(
  scenario: Scenario,
  seed: number,
  onTrace?: (line: string) => void,
): readonly string[] {
  const stage = new Stage(scenario, seed);
  if (onTrace !== undefined) stage.onTrace = onTrace;
  try {
    stage.start();
    scenario.play(stage);
    stage.end();
  } catch (error) {
    if (error instanceof Violation) stage.problems.push(error.message);
    else if (!(error instanceof StageFailed || error instanceof StageSkipped))
      stage.problems.push(`${(error as Error).stack}`);
  }
  return stage.problems;
}
