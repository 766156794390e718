/** What the sub-commands of FERRITE.AUDIT that return records have in common. */
import type { AuditLogView, AuditPage } from "../../audit/audit-log-view.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { NOT_AN_INTEGER } from "../error-texts.ts";
import { parseSmallInteger } from "../integer.ts";

/** Reads from files may take time: the connection waits for its answer and no other does. */
type Ask = (log: AuditLogView, done: (page: AuditPage) => void) => () => void;

/** Asks the trail and answers with its records, each the line of JSON that stands in the file. */
export function replyPage(context: EdgeContext, ask: Ask): void {
  const { client, reply, server } = context;
  const { log } = server.audit;
  if (log === undefined) return reply.error("ERR this node keeps no audit trail");
  log.readBy(client);
  const state = { isAnswered: false };
  let waiting: { resume(): void } | null = null;
  const giveUp = ask(log, (page) => {
    state.isAnswered = true;
    writePage(context, page);
    waiting?.resume();
  });
  if (!state.isAnswered) waiting = context.defer(giveUp);
}

function writePage({ reply }: EdgeContext, page: AuditPage): void {
  if (!page.ok) return reply.error(page.errorText);
  reply.array(page.lines.length);
  for (const line of page.lines) reply.bulkRange(line, 0, line.length - 1);
}

/** The argument as a number from 0 (or `min`) to `max`, or null after the error was written. */
export function readCount(
  { argv, reply }: EdgeContext,
  index: number,
  range: { readonly min: number; readonly max: number },
): number | null {
  const value = parseSmallInteger(argv.buffer, argv.starts[index], argv.ends[index]);
  if (value >= range.min && value <= range.max) return value;
  reply.error(NOT_AN_INTEGER);
  return null;
}

/** Sequences are counted as long as doubles are exact. */
export const SEQUENCE_RANGE: { readonly min: number; readonly max: number } = {
  min: 0,
  max: Number.MAX_SAFE_INTEGER,
};

/** More than one answer holds (audit/limits.ts) is no error: it holds less. */
export const COUNT_RANGE: { readonly min: number; readonly max: number } = {
  min: 1,
  max: Number.MAX_SAFE_INTEGER,
};

export const COUNT_DEFAULT = 1000;
