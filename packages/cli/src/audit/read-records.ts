/** Reads the trail of one node through its session, page by page. */
import { CliError } from "../errors.ts";
import type { RespValue } from "../connection/resp-value.ts";
import type { NodeSession } from "../connection/node-session.ts";
import { readRecord, type RecordView } from "./record-view.ts";

/** The newest records, oldest first. */
export async function readNewest(session: NodeSession, count: number): Promise<RecordView[]> {
  const reply = await session.askOne("FERRITE.AUDIT", "RECENT", String(count));
  return toRecords(reply, session.where).toReversed();
}

/** The next page above a record; empty at the end. */
export async function readPage(
  session: NodeSession,
  after: number,
  count?: number,
): Promise<RecordView[]> {
  const limit = count === undefined ? [] : ["COUNT", String(count)];
  const reply = await session.askOne("FERRITE.AUDIT", "SINCE", String(after), ...limit);
  return toRecords(reply, session.where);
}

/** What comes after a record, when it comes; empty when the time is over. */
export async function readFollowing(
  session: NodeSession,
  after: number,
  timeoutMs: number,
): Promise<RecordView[]> {
  const reply = await session.askOne("FERRITE.AUDIT", "FOLLOW", String(after), String(timeoutMs));
  return toRecords(reply, session.where);
}

/**
 * Every record from `since` on (null: all that the node still has), in order, up to what is the newest one now: a busy
 * node could make them as fast as they are read.
 */
export async function* readFrom(
  session: NodeSession,
  since: string | null,
): AsyncGenerator<RecordView> {
  const [newest] = await readNewest(session, 1);
  const end = newest?.sequence ?? 0;
  let after = since === null ? 0 : await sequenceBefore(session, since, end);
  while (after < end) {
    const page = await readPage(session, after);
    const last = page.at(-1);
    if (last === undefined) return;
    // A node that repeats itself would be asked for ever.
    if (last.sequence <= after) throw notUnderstood(session.where);
    for (const record of page) if (record.sequence <= end) yield record;
    after = last.sequence;
  }
}

/**
 * The sequence before the first record at or after a moment: bisected, so that a gigabyte need not be read to see the last
 * hour. A clock that was set back hides at most what was recorded while it was.
 */
async function sequenceBefore(session: NodeSession, since: string, end: number): Promise<number> {
  const [first] = await readPage(session, 0, 1);
  if (first === undefined) return 0;
  let low = first.sequence - 1;
  let high = end;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [record] = await readPage(session, middle, 1);
    if (record === undefined || record.timestamp >= since) high = middle;
    else low = Math.max(middle + 1, record.sequence);
  }
  return low;
}

function toRecords(reply: RespValue, where: string): RecordView[] {
  if (!Array.isArray(reply)) throw notUnderstood(where);
  return (reply as readonly RespValue[]).map((line) => {
    const record = typeof line === "string" ? readRecord(line) : null;
    if (record === null) throw notUnderstood(where);
    return record;
  });
}

function notUnderstood(where: string): CliError {
  return new CliError(
    "unreachable",
    `${where}: answers FERRITE.AUDIT in a form this version does not know`,
  );
}
