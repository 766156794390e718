/** The cluster family. */
import type { CommandSpec } from "../command.ts";
import { cluster } from "./cluster.ts";

export const clusterCommands: readonly CommandSpec[] = [cluster];
