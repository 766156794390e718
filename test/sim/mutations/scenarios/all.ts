/** All directed scenarios by name. */
import { commitScenarios } from "./commits.ts";
import { configurationScenarios } from "./configurations.ts";
import { electionScenarios } from "./elections.ts";
import { memberScenarios } from "./members.ts";
import { officeScenarios } from "./offices.ts";
import { readScenarios } from "./reads.ts";
import type { Scenario } from "./scenario.ts";
import { snapshotScenarios } from "./snapshots.ts";
import { stateScenarios } from "./states.ts";
import { tailScenarios } from "./tails.ts";
import { writeScenarios } from "./writes.ts";

const ALL: readonly Scenario[] = [
  ...commitScenarios,
  ...configurationScenarios,
  ...electionScenarios,
  ...memberScenarios,
  ...officeScenarios,
  ...readScenarios,
  ...snapshotScenarios,
  ...stateScenarios,
  ...tailScenarios,
  ...writeScenarios,
];

export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map(
  ALL.map((scenario) => [scenario.name, scenario]),
);
