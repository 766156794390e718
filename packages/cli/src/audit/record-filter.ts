/** Which records are looked for. */
import { InvalidArgumentError } from "commander";
import type { RecordView } from "./record-view.ts";

export interface SearchFlags {
  readonly user?: string;
  readonly action?: string;
  readonly category?: string;
  readonly severity?: string;
  readonly outcome?: string;
  readonly command?: string;
  readonly client?: string;
  readonly text?: string;
  /** RFC 3339 in UTC, as records have it. */
  readonly since?: string;
  readonly until?: string;
}

/** All that is given has to fit. Names are compared as they stand in records. */
export function recordFilter(flags: SearchFlags): (record: RecordView) => boolean {
  const exact: readonly (readonly [string | undefined, (record: RecordView) => string])[] = [
    [flags.user, (record) => record.user],
    [flags.category, (record) => record.category],
    [flags.severity, (record) => record.severity],
    [flags.outcome, (record) => record.outcome],
    [flags.command, (record) => record.command],
  ];
  const { action, client, text, since, until } = flags;
  return (record) =>
    exact.every(([wanted, read]) => wanted === undefined || read(record) === wanted) &&
    (action === undefined || fits(record.action, action)) &&
    (client === undefined || record.address.startsWith(client)) &&
    (text === undefined || record.texts.includes(text.toLowerCase())) &&
    (since === undefined || record.timestamp >= since) &&
    (until === undefined || record.timestamp < until);
}

/** `acl.*` is everything that begins with `acl.` */
function fits(action: string, wanted: string): boolean {
  return wanted.endsWith("*") ? action.startsWith(wanted.slice(0, -1)) : action === wanted;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A moment as records have it, from RFC 3339 (`2026-01-02T03:04:05Z`), a day, or a time ago (`30m`, `2h`, `7d`). */
export function moment(nowMs: () => number): (text: string) => string {
  return (text) => {
    const ago = /^(\d{1,9})([smhd])$/.exec(text);
    const time =
      ago === null ? parseDate(text) : nowMs() - Number(ago[1]) * UNITS_MS[ago[2] ?? "s"];
    // Beyond what a date can be.
    if (!(Math.abs(time) <= 8.64e15)) {
      throw new InvalidArgumentError(
        "It must be a time like 2026-01-02T03:04:05Z, a day like 2026-01-02, or a time ago like 2h.",
      );
    }
    // As many digits as records have: they are compared as text.
    return new Date(time).toISOString().replace("Z", "000000Z");
  };
}

/** A time without a zone would mean another moment on every machine. */
function parseDate(text: string): number {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const isTime = /^\d{4}-\d{2}-\d{2}[T ][\d:.]+(Z|[+-]\d{2}:\d{2})$/i.test(text);
  return isDay || isTime ? Date.parse(text) : Number.NaN;
}
