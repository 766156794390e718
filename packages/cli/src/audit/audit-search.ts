/** `ferrite audit search`: records of all nodes that fit, by time. */
import { Command, Option } from "commander";
import type { NodeSession } from "../connection/node-session.ts";
import type { World } from "../world.ts";
import { askMembers, findMembers, rememberingWorld } from "./members.ts";
import { wholeNumber } from "../connection/connection-options.ts";
import { connectionFlags, withNode, type NodeFlags } from "./node-options.ts";
import { readFrom } from "./read-records.ts";
import { moment, recordFilter, type SearchFlags } from "./record-filter.ts";
import { mergeByTime, recordText, type RecordView } from "./record-view.ts";

const CATEGORIES: readonly string[] = [
  "auth",
  "denial",
  "acl",
  "config",
  "command",
  "membership",
  "connection",
  "node",
  "audit",
];

const LIMIT_DEFAULT = 10_000;
const LIMIT_MAX = 10_000_000;

type Flags = NodeFlags & SearchFlags & { readonly limit: number };

/** `finish` takes the exit status: 1 when a node could not be asked. */
export function auditSearch(world: World, finish: (code: number) => void): Command {
  const time = moment(() => Date.now());
  const command = withNode(new Command("search"))
    .description("find records in the audit trails of all nodes")
    .option("--user <name>", "of this user, or of who tried to be it")
    .option("--action <action>", "auth.refused; acl.* for all that begin so")
    .addOption(new Option("--category <category>").choices(CATEGORIES))
    .addOption(new Option("--severity <severity>").choices(["info", "notice", "warning", "alert"]))
    .addOption(new Option("--outcome <outcome>").choices(["success", "failure"]))
    .option("--command <name>", "of this command, as in config|set")
    .option("--client <address>", "of clients whose address begins so")
    .option("--text <text>", "that hold this text anywhere, in any case")
    .option("--since <time>", "from then on: 2026-01-02T03:04:05Z, 2026-01-02, 2h", time)
    .option("--until <time>", "before then", time)
    .option("--limit <count>", "of each node at most", wholeNumber(LIMIT_MAX), LIMIT_DEFAULT);
  return command.action(async (flags: Flags) => {
    const remembering = rememberingWorld(world);
    const members = await findMembers(remembering, connectionFlags(flags));
    const { results, silent } = await askMembers(remembering, members, (session) =>
      search(session, flags),
    );
    for (const record of mergeByTime(results.map(({ result }) => result.found))) {
      world.print(flags.json ? record.line : recordText(record, world.style));
    }
    for (const { member, result } of results) {
      if (result.isCut) world.complain(`ferrite: ${member.name}: there are more than --limit`);
    }
    for (const reason of silent) world.complain(`ferrite: not asked: ${reason}`);
    finish(silent.length > 0 ? 1 : 0);
  });
}

interface Found {
  readonly found: readonly RecordView[];
  /** There are more that fit. */
  readonly isCut: boolean;
}

async function search(session: NodeSession, flags: Flags): Promise<Found> {
  const fits = recordFilter(flags);
  const found: RecordView[] = [];
  for await (const record of readFrom(session, flags.since ?? null)) {
    if (!fits(record)) continue;
    if (found.length === flags.limit) return { found, isCut: true };
    found.push(record);
  }
  return { found, isCut: false };
}
