import type { EdgeContext } from "../../server/edge-context.ts";
import type { CommandFacts, ContainerCommand } from "../command.ts";
import { leaderCancel } from "./leader-cancel.ts";
import { leaderHelp } from "./leader-help.ts";
import { leaderStepdown } from "./leader-stepdown.ts";
import { leaderTransfer } from "./leader-transfer.ts";
import { replyFacts } from "./member-reply.ts";

const FACTS: CommandFacts = {
  name: "ferrite.leader",
  summary: "Return who leads, and change it by subcommands",
  complexity: "Depends on subcommand.",
  since: "0.1.0",
  group: "ferrite",
  arity: -1,
  flags: ["stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
};

/** FERRITE.LEADER: who leads, and wishes about it. */
export const ferriteLeader: ContainerCommand = {
  ...FACTS,
  kind: "container",
  subcommands: [leaderCancel, leaderHelp, leaderStepdown, leaderTransfer],
  bare: { ...FACTS, kind: "edge", run: runLeader },
};

/** As this node knows it; names are null while no leader is known. */
function runLeader({ reply, server: { replica } }: EdgeContext): void {
  const leader = replica.members().find((member) => member.isLeader) ?? null;
  replyFacts(reply, [
    ["name", leader?.name ?? null],
    ["id", replica.leaderId()],
    ["client_address", leader?.clientAddress ?? null],
    ["term", replica.term()],
    ["self", leader?.isSelf ?? false],
    ["handing_over", replica.leadership.isHandingOver()],
  ]);
}
