/** What can be run with a seed: the simulator itself, simulated bootstraps, and the directed scenarios in it. */
import { simulate } from "../world/world.ts";
import { bootstrapProblems } from "./bootstraps.ts";
import { SCENARIOS } from "./scenarios/all.ts";
import { playScenario } from "./scenarios/scenario.ts";

/** Problems of one run; none when all is well. */
export type Run = (seed: number) => readonly string[];

/** Throws RangeError for a name that is none. */
export function runOf(name: string): Run {
  if (name === "faults") return (seed) => simulate({ seed }).problems;
  if (name === "bootstraps") return bootstrapProblems;
  const scenario = SCENARIOS.get(name);
  if (scenario === undefined) throw new RangeError(`no scenario is called ${name}`);
  return (seed) => playScenario(scenario, seed);
}
