/** Tables for people: a line of headings, columns wide enough for their widest cell, two blanks between. */
import type { Style } from "./style.ts";

export interface Column<Row> {
  readonly title: string;
  readonly align?: "left" | "right";
  readonly cell: (row: Row) => string;
  /** Colours the cell after it was padded, so that colours do not count as width. */
  readonly paint?: (text: string, row: Row) => string;
}

/** The lines of the table, without line ends and without blanks at the end of a line. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  style: Style,
): string[] {
  const cells = rows.map((row) => columns.map((column) => printable(column.cell(row))));
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...cells.map((line) => line[at]?.length ?? 0)),
  );
  const line = (texts: readonly string[], paint: (text: string, at: number) => string): string =>
    texts
      .map((text, at) => {
        const width = widths[at] ?? 0;
        const isLast = at === columns.length - 1;
        const padded =
          columns[at]?.align === "right"
            ? text.padStart(width)
            : isLast
              ? text
              : text.padEnd(width);
        return paint(padded, at);
      })
      .join("  ")
      .trimEnd();
  const head = line(
    columns.map((column) => column.title),
    (text) => style.dim(text),
  );
  const body = rows.map((row, index) =>
    line(cells[index] ?? [], (text, at) => columns[at]?.paint?.(text, row) ?? text),
  );
  return [head, ...body];
}

/** Names come from other machines: control characters in them must not drive the terminal. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}
