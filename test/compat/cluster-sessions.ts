/** Ways to put the same requests to a running cluster. */
import { readReply } from "../../packages/node/test/commands/reply-tree.ts";
import { encodeWords } from "./requests.ts";
import type { Session, Target } from "./target.ts";

/** The words of an encoded request, as latin1. */
export function wordsOf(request: Buffer): string[] {
  const node = readReply(request)?.node;
  if (node?.kind !== "aggregate" || node.items === null) throw new Error("not a request");
  return node.items.map((item) => (item.kind === "bulk" ? (item.text ?? "") : ""));
}

/**
 * A connection to every node. Each few requests go to the next node, so what one node has answered must be seen by the
 * other at once: reads are linearizable.
 */
export async function openRotating(
  nodes: readonly Target[],
  options: { readonly protocol: 2 | 3; readonly requestsPerNode: number },
): Promise<Session> {
  const sessions = await Promise.all(nodes.map((node) => node.open(options.protocol)));
  for (const session of sessions) {
    const [reply] = await session.exchange([encodeWords(["FERRITE.CONSISTENCY", "linearizable"])]);
    if (reply.toString() !== "+OK\r\n") throw new Error(`no linearizable reads: ${String(reply)}`);
  }
  let turn = 0;
  return {
    exchange: async (requests) => {
      const replies: Buffer[] = [];
      for (let at = 0; at < requests.length; at += options.requestsPerNode) {
        const some = requests.slice(at, at + options.requestsPerNode);
        replies.push(...(await sessions[turn++ % sessions.length].exchange(some)));
      }
      return replies;
    },
    clear: () => sessions[turn++ % sessions.length].clear(),
    close: async () => {
      await Promise.all(sessions.map((session) => session.close()));
    },
  };
}

/** The same session with every request written as a line, as a person would type it. */
export function typed(session: Session): Session {
  return {
    ...session,
    exchange: (requests) => session.exchange(requests.map((request) => toLine(wordsOf(request)))),
    clear: () => session.clear(),
    close: () => session.close(),
  };
}

/** Every word in quotes, every byte that is not plain ASCII as \xHH. */
export function toLine(words: readonly string[]): Buffer {
  const quoted = words.map((word) => {
    const inside = word.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, (character) => {
      return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
    });
    return `"${inside}"`;
  });
  return Buffer.from(`${quoted.join(" ")}\r\n`);
}
