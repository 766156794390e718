/** The table of docs/proof.md, between two marks. */
import type { Mutation } from "./mutation.ts";
import { NOT_APPLICABLE } from "./not-applicable.ts";

export interface TableRow {
  readonly mutation: Mutation;
  /** "faults" or a scenario. */
  readonly in: string;
  readonly seeds: number;
  readonly check: string;
}

const BEGIN = "<!-- mutations: begin, written by REWRITE=1 pnpm mutations -->";
const END = "<!-- mutations: end -->";

/** Throws RangeError when the text has no place for it. */
export function replaceTable(text: string, table: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new RangeError("there is no place for the table");
  return `${text.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${text.slice(end)}`;
}

/** Markdown, as the formatter leaves it. */
export function tableOf(rows: readonly TableRow[]): string {
  const bugs = new Set(rows.flatMap(({ mutation }) => mutation.bugs));
  const lines = rows.map((row) => {
    const { id, title, source } = row.mutation;
    const link = source.startsWith("https://") ? `[${id}](${source.split(" ")[0]})` : id;
    const where = row.in === "faults" ? "random faults" : `\`${row.in}\``;
    const from = source.startsWith("https://") ? "" : ` (${source})`;
    return `| ${link} | ${title}${from} | ${row.check} | ${where} | ${row.seeds} |`;
  });
  const reasons = [...NOT_APPLICABLE].map(([id, reason]) => `| ${id} | ${reason} |`);
  return [
    `${rows.length} defects, all caught; they stand for ${bugs.size} numbers of the list of known bugs.`,
    "",
    "| id | what is broken | caught by | in | seeds |",
    "|---|---|---|---|---|",
    ...lines,
    "",
    "Numbers of the list that are no defect to be put back here:",
    "",
    "| id | why not |",
    "|---|---|",
    ...reasons,
  ].join("\n");
}
