/** `ferrite audit tail`: the newest records of all nodes, and what comes. */
import { Command } from "commander";
import { CliError } from "../errors.ts";
import type { NodeSession } from "../connection/node-session.ts";
import { withSession } from "../connection/operator-login.ts";
import type { World } from "../world.ts";
import { askMembers, findMembers, rememberingWorld, type Member } from "./members.ts";
import { wholeNumber } from "../connection/connection-options.ts";
import { connectionFlags, withNode, type NodeFlags } from "./node-options.ts";
import { readFollowing, readNewest } from "./read-records.ts";
import { mergeByTime, recordText, type RecordView } from "./record-view.ts";

interface Flags extends NodeFlags {
  readonly lines: number;
  readonly follow: boolean;
}

const LINES_MAX = 1000;
/** A node that can not be reached is asked again after this. */
const RETRY_DELAY_MS = 1000;

/** `finish` takes the exit status: 1 when a node could not be asked. */
export function auditTail(world: World, finish: (code: number) => void): Command {
  return withNode(new Command("tail"))
    .description("show the newest records of all nodes, by time")
    .option("-n, --lines <count>", "of each node", wholeNumber(LINES_MAX), 20)
    .option("-f, --follow", "go on with what comes, until interrupted", false)
    .action(async (flags: Flags) => {
      const remembering = rememberingWorld(world);
      const show = (record: RecordView): void =>
        world.print(flags.json ? record.line : recordText(record, world.style));
      const members = await findMembers(remembering, connectionFlags(flags));
      const { results, silent } = await askMembers(remembering, members, (session) =>
        readNewest(session, flags.lines),
      );
      for (const record of mergeByTime(results.map(({ result }) => result))) show(record);
      for (const reason of silent) world.complain(`ferrite: not asked: ${reason}`);
      if (!flags.follow) return finish(silent.length > 0 ? 1 : 0);
      const last = new Map(
        results.map(({ member, result }) => [member.name, result.at(-1)?.sequence ?? 0]),
      );
      const stop = stopSignal(world);
      await Promise.all(
        members.map((member) =>
          follow({ world: remembering, member, show, stop, after: last.get(member.name) ?? null }),
        ),
      );
      return finish(0);
    });
}

interface Following {
  readonly world: World;
  readonly member: Member;
  readonly show: (record: RecordView) => void;
  readonly stop: AbortSignal;
  /** The last record that was shown; null when this member was never reached. */
  readonly after: number | null;
}

/** Until the signal. A node that goes and comes back is gone on with where it was left: nothing is missed. */
async function follow(following: Following): Promise<void> {
  const { world, member, stop } = following;
  const place = { after: following.after };
  let lastComplaint = "";
  while (!stop.aborted) {
    try {
      await withSession(world, member.flags, (session) => followSession(session, following, place));
    } catch (error) {
      if (stop.aborted) return;
      if (!(error instanceof CliError)) throw error;
      if (error.message !== lastComplaint)
        world.complain(`ferrite: ${member.name}: ${error.message}`);
      lastComplaint = error.message;
      await pause(RETRY_DELAY_MS, stop);
    }
  }
}

async function followSession(
  session: NodeSession,
  { member, show, stop }: Following,
  place: { after: number | null },
): Promise<void> {
  const close = (): void => session.close();
  stop.addEventListener("abort", close, { once: true });
  try {
    place.after ??= (await readNewest(session, 1)).at(-1)?.sequence ?? 0;
    while (!stop.aborted) {
      // Well within the time that an answer may take.
      const waitMs = Math.max(1, Math.floor(member.flags.timeout / 2));
      for (const record of await readFollowing(session, place.after, waitMs)) {
        show(record);
        place.after = record.sequence;
      }
    }
  } finally {
    stop.removeEventListener("abort", close);
  }
}

function stopSignal(world: World): AbortSignal {
  const stopping = new AbortController();
  world.process.on("SIGINT", () => stopping.abort());
  world.process.on("SIGTERM", () => stopping.abort());
  return stopping.signal;
}

function pause(delayMs: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stop.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    stop.addEventListener("abort", done, { once: true });
  });
}
