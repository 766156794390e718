/** `ferrite status`: the whole cluster, seen from one of its nodes. */
import type { HostPort } from "@ferrite/node/config";
import { Command } from "commander";
import {
  resolveFlags,
  withAddress,
  withTimeout,
  type ConnectionFlags,
} from "../connection/connection-options.ts";
import { memberAddress } from "../connection/member-address.ts";
import { readTls, withTls } from "../connection/tls-options.ts";
import { CliError } from "../errors.ts";
import type { World } from "../world.ts";
import { askNode, type AskOptions } from "./ask-node.ts";
import { WARNING_DAYS } from "./certificate-report.ts";
import { clusterReport, type MemberAnswer } from "./cluster-report.ts";
import { ownAddress, type MemberReport, type NodeReport } from "./node-report.ts";
import { statusLines } from "./render-status.ts";

const EXAMPLES = `
The exit status is 0 when every member answers, knows the leader, keeps up, and uses the certificates that are in its
files; otherwise 1. Certificates that end within ${WARNING_DAYS} days are told and are no failure.

Examples:
  $ ferrite status
  $ ferrite status --host 10.0.0.2 --port 6379
  $ ferrite status --host rediss://10.0.0.2 --cacert ca.crt --cert client-ops.crt --key client-ops.key
  $ ferrite status --json | jq .problems`;

interface StatusFlags extends ConnectionFlags {
  readonly password?: string;
}

const TIMEOUT_MS_DEFAULT = 2000;

/** `finish` takes the exit status. */
export function statusCommand(world: World, finish: (code: number) => void): Command {
  const command = withAddress(new Command("status"))
    .description("show the members of a cluster and whether they are well")
    .option("--user <name>", "log in as this user")
    .option("--password <password>", "of the user; better given in REDISCLI_AUTH")
    .option("--json", "for programs", false);
  return withTls(withTimeout(command, TIMEOUT_MS_DEFAULT))
    .addHelpText("after", EXAMPLES)
    .action(async (given: StatusFlags) => {
      const flags = resolveFlags(given);
      const { host, port, tls } = flags;
      const password = flags.password ?? world.environment["REDISCLI_AUTH"] ?? null;
      if (flags.user !== undefined && password === null) {
        throw new CliError("badArgument", "--user needs a password: give it in REDISCLI_AUTH");
      }
      const options: AskOptions = {
        user: flags.user ?? null,
        password,
        tls: await readTls(world, flags),
        timeoutMs: flags.timeout,
      };
      const seen = await askNode({ host, port }, options);
      const report = clusterReport(seen, await askMembers(seen, { port, tls }, options));
      if (flags.json) world.print(JSON.stringify(report, null, 2));
      else for (const line of statusLines(report, world.style)) world.print(line);
      finish(report.healthy ? 0 : 1);
    });
}

/** All members at the same time; the node that was asked first has answered already. */
async function askMembers(
  seen: NodeReport,
  asked: { readonly port: number; readonly tls: boolean },
  options: AskOptions,
): Promise<ReadonlyMap<string, MemberAnswer>> {
  const first = { ...asked, announced: ownAddress(seen) };
  // The name of --sni is that of the node which was asked first.
  const tls = options.tls === null ? null : { ...options.tls, serverName: null };
  const answers = await Promise.all(
    seen.members.map(async (member): Promise<[string, MemberAnswer]> => {
      if (member.id === seen.nodeId) return [member.id, { kind: "report", report: seen }];
      const address = memberAddress(member.clientAddress, first);
      return [member.id, await askMember(member, address, { ...options, tls })];
    }),
  );
  return new Map(answers);
}

async function askMember(
  member: MemberReport,
  address: HostPort | null,
  options: AskOptions,
): Promise<MemberAnswer> {
  if (address === null) return { kind: "silent", reason: "its address is not known" };
  const named = { ...address, memberName: member.name };
  try {
    return { kind: "report", report: await askNode(named, options) };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { kind: "silent", reason: error.message.slice(error.message.indexOf(": ") + 2) };
  }
}
