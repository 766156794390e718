import type { ContainerCommand } from "../command.ts";
import { auditFollow } from "./audit-follow.ts";
import { auditHelp } from "./audit-help.ts";
import { auditRecent } from "./audit-recent.ts";
import { auditSince } from "./audit-since.ts";
import { auditStatus } from "./audit-status.ts";

/** FERRITE.AUDIT: the audit trail of the node that is asked. */
export const ferriteAudit: ContainerCommand = {
  kind: "container",
  name: "ferrite.audit",
  summary: "A container for commands that read the audit trail of this node",
  complexity: "Depends on subcommand.",
  since: "0.1.0",
  group: "ferrite",
  arity: -2,
  flags: [],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [],
  subcommands: [auditFollow, auditHelp, auditRecent, auditSince, auditStatus],
};
