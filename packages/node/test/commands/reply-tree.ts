/** A raw reply taken apart, so that parts of it can be sorted or compared by value. */

export type ReplyNode =
  /** `+`, `-`, `:`, `,`, `#`, `_`: a line. */
  | { readonly kind: "line"; readonly type: string; readonly text: string }
  /** `$` and `=`; null for `$-1`. */
  | { readonly kind: "bulk"; readonly type: string; readonly text: string | null }
  /** `*`, `~`, `%`, `>`; null for `*-1`. A map has keys and values alternately. */
  | {
      readonly kind: "aggregate";
      readonly type: string;
      readonly items: readonly ReplyNode[] | null;
    };

const AGGREGATES = "*~%>";

/** The reply that starts at `from`, and where it ends; null when bytes are missing. */
export function readReply(
  bytes: Buffer,
  from = 0,
): { readonly node: ReplyNode; readonly end: number } | null {
  const lineEnd = bytes.indexOf("\r\n", from);
  if (lineEnd < 0) return null;
  const type = String.fromCharCode(bytes[from]);
  const text = bytes.toString("latin1", from + 1, lineEnd);
  const next = lineEnd + 2;
  if (type === "$" || type === "=") return readBulk(bytes, next, { type, length: Number(text) });
  if (!AGGREGATES.includes(type)) return { node: { kind: "line", type, text }, end: next };
  if (text === "-1") return { node: { kind: "aggregate", type, items: null }, end: next };
  const items: ReplyNode[] = [];
  const count = Number(text) * (type === "%" ? 2 : 1);
  let end = next;
  for (let index = 0; index < count; index++) {
    const item = readReply(bytes, end);
    if (item === null) return null;
    items.push(item.node);
    end = item.end;
  }
  return { node: { kind: "aggregate", type, items }, end };
}

function readBulk(
  bytes: Buffer,
  from: number,
  { type, length }: { readonly type: string; readonly length: number },
): { readonly node: ReplyNode; readonly end: number } | null {
  if (length < 0) return { node: { kind: "bulk", type, text: null }, end: from };
  if (bytes.length < from + length + 2) return null;
  const text = bytes.toString("latin1", from, from + length);
  return { node: { kind: "bulk", type, text }, end: from + length + 2 };
}

/** Back to bytes, as latin1. */
export function printReply(node: ReplyNode): string {
  if (node.kind === "line") return `${node.type}${node.text}\r\n`;
  if (node.kind === "bulk") {
    if (node.text === null) return `${node.type}-1\r\n`;
    return `${node.type}${node.text.length}\r\n${node.text}\r\n`;
  }
  if (node.items === null) return `${node.type}-1\r\n`;
  const count = node.items.length / (node.type === "%" ? 2 : 1);
  return `${node.type}${count}\r\n${node.items.map(printReply).join("")}`;
}

/** The reply with the elements of its innermost arrays and sets in order: for replies whose order means nothing. */
export function sortReply(raw: Buffer): Buffer {
  const reply = readReply(raw);
  if (reply === null || reply.end !== raw.length) throw new Error("the bytes are not one reply");
  return Buffer.from(printReply(sortNode(reply.node)), "latin1");
}

function sortNode(node: ReplyNode): ReplyNode {
  if (node.kind !== "aggregate" || node.items === null) return node;
  const isInnermost = node.items.every((item) => item.kind !== "aggregate");
  if (!isInnermost) return { ...node, items: node.items.map(sortNode) };
  if (node.type === "%") return node;
  const items = node.items.toSorted((a, b) => (printReply(a) < printReply(b) ? -1 : 1));
  return { ...node, items };
}
