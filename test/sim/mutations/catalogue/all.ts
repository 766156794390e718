/** All mutations, in the order of the table. */
import type { Mutation } from "../mutation.ts";
import { configurations } from "./configurations.ts";
import { disk } from "./disk.ts";
import { elections } from "./elections.ts";
import { members } from "./members.ts";
import { offices } from "./offices.ts";
import { reads } from "./reads.ts";
import { replication } from "./replication.ts";
import { snapshots } from "./snapshots.ts";
import { states } from "./states.ts";
import { writes } from "./writes.ts";

export const MUTATIONS: readonly Mutation[] = [
  ...elections,
  ...replication,
  ...reads,
  ...writes,
  ...snapshots,
  ...states,
  ...disk,
  ...configurations,
  ...members,
  ...offices,
].toSorted((left, right) => (left.id < right.id ? -1 : 1));
