/** Asks a node for a change of the membership and follows it to its end. */
import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import {
  withConnection,
  type ConnectionFlags,
  wholeNumber,
} from "../connection/connection-options.ts";
import type { NodeSession } from "../connection/node-session.ts";
import { withSession } from "../connection/operator-login.ts";
import { CliError } from "../errors.ts";
import type { World } from "../world.ts";
import { readMembership, type ChangeReport, type MembershipReport } from "./member-report.ts";
import { describeChange, isOver, progressLine } from "./render-members.ts";

export interface ChangeFlags extends ConnectionFlags {
  readonly wait: boolean;
  /** Seconds. */
  readonly waitTimeout: number;
}

/** A node that is to join may have to be started first, and gets all of the data. */
const WAIT_SECONDS_DEFAULT = 600;
const WAIT_SECONDS_MAX = 86_400;
const POLL_MS = 250;
/** The node that is asked may be the one that is removed, or may lose its leader: it is asked again for so long. */
const SILENCE_MS_MAX = 15_000;

const WAITING = `
The command waits until the change is over and shows how far it is. Breaking off ends the waiting only, not the
change: \`ferrite member list\` shows it, \`ferrite member cancel\` ends it.`;

/** Adds the options that all changes share. */
export function withChange(command: Command): Command {
  return withConnection(command)
    .option("--no-wait", "return as soon as the cluster has taken the change")
    .option(
      "--wait-timeout <seconds>",
      "give up waiting after so long; the change goes on",
      wholeNumber(WAIT_SECONDS_MAX),
      WAIT_SECONDS_DEFAULT,
    )
    .addHelpText("after", WAITING);
}

/**
 * Sends the request, which the node answers when the cluster has taken or refused it, and tells how it goes on.
 * @throws CliError "refused" with the reason; "unreachable" when it is not over in time
 */
export async function changeMembership(
  world: World,
  flags: ChangeFlags,
  words: readonly string[],
): Promise<void> {
  const taken = await withSession(world, flags, async (session) => {
    await session.askOne("FERRITE.MEMBER", ...words);
    return ownChange(session, await readMembership(session));
  });
  const over = flags.wait ? await follow(world, flags, taken) : taken;
  if (flags.json) world.print(JSON.stringify(over, null, 2));
  else if (!isOver(over)) world.print(`${describeChange(over)}: taken`);
  else if (over.phase === "done") world.print(`${describeChange(over)}: done`);
  if (isOver(over) && over.phase !== "done") {
    throw new CliError("refused", `${describeChange(over)}: ${over.reason ?? over.phase}`);
  }
}

function ownChange(session: NodeSession, { change }: MembershipReport): ChangeReport {
  if (change !== null) return change;
  throw new CliError("unreachable", `${session.where}: took the change and does not know it`);
}

/** Looks again and again until the change is over. */
async function follow(
  world: World,
  flags: ChangeFlags,
  taken: ChangeReport,
): Promise<ChangeReport> {
  const endMs = Date.now() + flags.waitTimeout * 1000;
  let told = "";
  let heardMs = Date.now();
  let change = taken;
  while (!isOver(change)) {
    if (Date.now() > endMs) {
      throw new CliError(
        "unreachable",
        `${describeChange(change)} is not over after ${flags.waitTimeout} s; it goes on: \`ferrite member list\` shows it`,
      );
    }
    await pause(POLL_MS);
    try {
      const report = await withSession(world, flags, readMembership);
      heardMs = Date.now();
      const now = report.change;
      // A later change took its place: this one is over, and done unless that was told before.
      if (now === null || now.id !== taken.id) return { ...change, phase: "done", reason: null };
      change = now;
      const line = progressLine(report, change);
      if (line !== told && !flags.json && !isOver(change)) world.complain(line);
      told = line;
    } catch (error) {
      const isSilence = error instanceof CliError && error.code === "unreachable";
      if (!isSilence || Date.now() - heardMs > SILENCE_MS_MAX) throw error;
    }
  }
  return change;
}
