import type { ContainerCommand, CommandFacts } from "../command.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { replyVerdict } from "./state-reply.ts";
import { stateCheck } from "./state-check.ts";
import { stateHelp } from "./state-help.ts";

const FACTS: CommandFacts = {
  name: "ferrite.state",
  summary: "Return the newest comparison of the members' states, and make one by a subcommand",
  complexity: "Depends on subcommand.",
  since: "0.1.0",
  group: "ferrite",
  arity: -1,
  flags: ["stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
};

/** FERRITE.STATE: whether all members have the same data (R32). */
export const ferriteState: ContainerCommand = {
  ...FACTS,
  kind: "container",
  subcommands: [stateCheck, stateHelp],
  bare: { ...FACTS, kind: "edge", run: runState },
};

/** Null before the first one. */
function runState({ reply, server: { replica } }: EdgeContext): void {
  const { verdict } = replica.checks;
  if (verdict === null) reply.nullBulk();
  else replyVerdict(reply, verdict, replica.members());
}
