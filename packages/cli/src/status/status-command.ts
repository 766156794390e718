/** `ferrite status`: the whole cluster, seen from one of its nodes. */
import { parseHostPort } from "@ferrite/node/config";
import { Command, InvalidArgumentError } from "commander";
import { CliError } from "../errors.ts";
import type { World } from "../world.ts";
import { askNode, type AskOptions } from "./ask-node.ts";
import { clusterReport, type MemberAnswer } from "./cluster-report.ts";
import type { MemberReport, NodeReport } from "./node-report.ts";
import { statusLines } from "./render-status.ts";

const EXAMPLES = `
The exit status is 0 when every member answers, knows the leader and keeps up; otherwise 1.

Examples:
  $ ferrite status
  $ ferrite status --host 10.0.0.2 --port 6379
  $ ferrite status --json | jq .problems`;

interface StatusFlags {
  readonly host: string;
  readonly port: number;
  readonly password?: string;
  readonly timeout: number;
  readonly json: boolean;
}

const TIMEOUT_MS_DEFAULT = 2000;
const TIMEOUT_MS_MAX = 600_000;

/** `finish` takes the exit status. */
export function statusCommand(world: World, finish: (code: number) => void): Command {
  return new Command("status")
    .description("show the members of a cluster and whether they are well")
    .option("--host <host>", "any node of the cluster", "127.0.0.1")
    .option("--port <port>", "its port for Redis clients", wholeNumber(65_535), 6379)
    .option("--password <password>", "of the default user; better given in REDISCLI_AUTH")
    .option(
      "--timeout <ms>",
      "how long a node may take to answer",
      wholeNumber(TIMEOUT_MS_MAX),
      TIMEOUT_MS_DEFAULT,
    )
    .option("--json", "for programs", false)
    .addHelpText("after", EXAMPLES)
    .action(async (flags: StatusFlags) => {
      const password = flags.password ?? world.environment["REDISCLI_AUTH"] ?? null;
      const options: AskOptions = { password, timeoutMs: flags.timeout };
      const seen = await askNode({ host: flags.host, port: flags.port }, options);
      const report = clusterReport(seen, await askMembers(seen, options));
      if (flags.json) world.print(JSON.stringify(report, null, 2));
      else for (const line of statusLines(report, world.style)) world.print(line);
      finish(report.healthy ? 0 : 1);
    });
}

/** All members at the same time; the node that was asked first has answered already. */
async function askMembers(
  seen: NodeReport,
  options: AskOptions,
): Promise<ReadonlyMap<string, MemberAnswer>> {
  const answers = await Promise.all(
    seen.members.map(async (member): Promise<[string, MemberAnswer]> => {
      if (member.id === seen.nodeId) return [member.id, { kind: "report", report: seen }];
      return [member.id, await askMember(member, options)];
    }),
  );
  return new Map(answers);
}

async function askMember(member: MemberReport, options: AskOptions): Promise<MemberAnswer> {
  const address = parseHostPort(member.clientAddress);
  if (address === null) return { kind: "silent", reason: "its address is not known" };
  try {
    return { kind: "report", report: await askNode(address, options) };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { kind: "silent", reason: error.message.slice(error.message.indexOf(": ") + 2) };
  }
}

function wholeNumber(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < 1 || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
    }
    return value;
  };
}
