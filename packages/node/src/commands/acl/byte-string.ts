/** Names and rules are byte strings (latin1, one character a byte): they leave as the bytes they came as. */
import type { Reply } from "../../resp/reply.ts";

export function replyBytes(reply: Reply, text: string): void {
  reply.bulk(Buffer.from(text, "latin1"));
}

export function replyByteStrings(reply: Reply, texts: readonly string[]): void {
  reply.array(texts.length);
  for (const text of texts) replyBytes(reply, text);
}
