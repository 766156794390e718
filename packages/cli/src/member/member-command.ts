/** `ferrite member`: who belongs to the cluster. */
import { Command } from "commander";
import {
  withConnection,
  wholeNumber,
  type ConnectionFlags,
} from "../connection/connection-options.ts";
import { withSession } from "../connection/operator-login.ts";
import type { World } from "../world.ts";
import { changeMembership, withChange, type ChangeFlags } from "./change-membership.ts";
import { readMembership } from "./member-report.ts";
import { membershipLines } from "./render-members.ts";

const EXAMPLES = `
Examples:
  $ ferrite member list
  $ ferrite member add node4                 then start node4 with the members as its peers
  $ ferrite member remove node1
  $ ferrite member replace node2 --by node5
  $ ferrite member demote node3              it keeps the data and has no vote

One change is made at a time. A node that comes back under its old name with an empty disk takes the place of its old
self without any of these.`;

const PRIORITY_MAX = 100;

export function memberCommand(world: World): Command {
  const command = new Command("member")
    .description("show and change who belongs to a cluster")
    .enablePositionalOptions()
    .addHelpText("after", EXAMPLES);
  const subcommands = [
    memberList(world),
    memberAdd(world),
    memberRemove(world),
    memberReplace(world),
    simpleChange(world, "promote", "make a learner a voter"),
    simpleChange(world, "demote", "make a voter a learner: it keeps the data and has no vote"),
    memberCancel(world),
    memberPriority(world),
  ];
  for (const subcommand of subcommands) command.addCommand(subcommand);
  return command;
}

function memberList(world: World): Command {
  return withConnection(new Command("list").alias("ls"))
    .description("list the members, and the change that is under way")
    .action(async (flags: ConnectionFlags) => {
      const report = await withSession(world, flags, readMembership);
      if (flags.json) world.print(JSON.stringify(report, null, 2));
      else for (const line of membershipLines(report, world.style)) world.print(line);
    });
}

interface AddFlags extends ChangeFlags {
  readonly address?: string;
  readonly learner: boolean;
}

function memberAdd(world: World): Command {
  return withChange(
    new Command("add")
      .argument("<name>", "node-name of the node that is to join; its certificate must cover it")
      .option("--address <host:port>", "take it only when it announces this peer address")
      .option("--learner", "it gets the data and no vote", false),
  )
    .description("invite a node, and make it a voter once it has the data")
    .action(async (name: string, flags: AddFlags) => {
      const address = flags.address === undefined ? [] : ["ADDRESS", flags.address];
      const learner = flags.learner ? ["LEARNER"] : [];
      await changeMembership(world, flags, ["ADD", name, ...address, ...learner]);
    });
}

function memberRemove(world: World): Command {
  return withChange(new Command("remove").alias("rm").argument("<name>", "of the member"))
    .description("take a member out of the cluster; its node stops")
    .action((name: string, flags: ChangeFlags) => changeMembership(world, flags, ["REMOVE", name]));
}

interface ReplaceFlags extends ChangeFlags {
  readonly by?: string;
}

function memberReplace(world: World): Command {
  return withChange(
    new Command("replace")
      .argument("<name>", "of the member that goes")
      .option("--by <name>", "of the node that comes; without it: a new disk under the same name"),
  )
    .description("have a new node take the place of a member, in one step")
    .action((name: string, flags: ReplaceFlags) => {
      const by = flags.by === undefined ? [] : ["BY", flags.by];
      return changeMembership(world, flags, ["REPLACE", name, ...by]);
    });
}

function simpleChange(world: World, kind: "promote" | "demote", description: string): Command {
  return withChange(new Command(kind).argument("<name>", "of the member"))
    .description(description)
    .action((name: string, flags: ChangeFlags) =>
      changeMembership(world, flags, [kind.toUpperCase(), name]),
    );
}

function memberCancel(world: World): Command {
  return withConnection(new Command("cancel"))
    .description("end the change that is under way, as long as nothing of it has happened")
    .action(async (flags: ConnectionFlags) => {
      await withSession(world, flags, (session) => session.askOne("FERRITE.MEMBER", "CANCEL"));
      world.print(flags.json ? JSON.stringify({ cancelled: true }) : "cancelled");
    });
}

function memberPriority(world: World): Command {
  return withConnection(
    new Command("priority")
      .argument("<name>", "of the member")
      .argument("<priority>", "higher leads rather; 0: only when nobody else can", (text: string) =>
        wholeNumber(PRIORITY_MAX, 0)(text),
      ),
  )
    .description("say how much a member is wanted as the leader")
    .action(async (name: string, priority: number, flags: ConnectionFlags) => {
      await withSession(world, flags, (session) =>
        session.askOne("FERRITE.MEMBER", "PRIORITY", name, String(priority)),
      );
      world.print(
        flags.json ? JSON.stringify({ name, priority }) : `priority of ${name} set to ${priority}`,
      );
    });
}
