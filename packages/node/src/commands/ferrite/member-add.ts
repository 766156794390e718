import type { EdgeContext } from "../../server/edge-context.ts";
import type { EdgeCommand } from "../command.ts";
import { askChange, readName, readOptions, readWait } from "./member-ask.ts";

const NOT_AN_ADDRESS = "ERR the address is not host:port";
const ADDRESS_LENGTH_MAX = 300;

/** FERRITE.MEMBER ADD name [ADDRESS host:port] [LEARNER] [WAIT ms]: the node joins when it is started, and votes once it has caught up. */
export const memberAdd: EdgeCommand = {
  kind: "edge",
  name: "ferrite.member|add",
  summary: "Invite a node to join the cluster",
  complexity: "O(N) where N is the number of members",
  since: "0.1.0",
  group: "ferrite",
  arity: -3,
  flags: ["admin", "noscript", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [
    { name: "name", type: "string" },
    { name: "address", type: "string", token: "ADDRESS", flags: ["optional"] },
    { name: "learner", type: "pure-token", token: "LEARNER", flags: ["optional"] },
    { name: "milliseconds", type: "integer", token: "WAIT", flags: ["optional"] },
  ],
  run: runAdd,
};

function runAdd(context: EdgeContext): void {
  const name = readName(context, 2);
  if (name === null) return;
  const known = { ADDRESS: "value", LEARNER: "flag", WAIT: "value" } as const;
  const options = readOptions(context, { known, startAt: 3 });
  if (options === null) return;
  const address = options.get("ADDRESS") ?? null;
  if (address !== null && !isAddress(address)) return context.reply.error(NOT_AN_ADDRESS);
  const waitMs = readWait(context, options);
  if (waitMs === null) return;
  const asLearner = options.has("LEARNER");
  askChange(
    context,
    { write: "change", kind: "add", name, newcomer: null, address, asLearner },
    waitMs,
  );
}

/** host:port or [v6]:port, as members announce it. */
function isAddress(text: string): boolean {
  const match = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):(\d{1,5})$/.exec(text);
  return match !== null && text.length <= ADDRESS_LENGTH_MAX && Number(match[1]) <= 65535;
}
