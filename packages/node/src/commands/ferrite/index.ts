/** Ferrite's own commands. */
import type { CommandSpec } from "../command.ts";
import { ferriteAtRest } from "./at-rest.ts";
import { ferriteAudit } from "./audit.ts";
import { ferriteConsistency } from "./consistency.ts";
import { ferriteLeader } from "./leader.ts";
import { ferriteMember } from "./member.ts";
import { ferriteState } from "./state.ts";
import { ferriteStatus } from "./status.ts";

export const ferriteCommands: readonly CommandSpec[] = [
  ferriteAtRest,
  ferriteAudit,
  ferriteConsistency,
  ferriteLeader,
  ferriteMember,
  ferriteState,
  ferriteStatus,
];
