import { connect } from "node:net";

import { BenchError } from "../errors.ts";

const TIMEOUT_MS = 10_000;

/**
 * Sends one command on a connection of its own and returns the reply's text: for questions before
 * and after a measurement, not for load. Understands the one-line and the bulk replies of RESP2.
 * Throws BenchError on an error reply, a refused connection or no answer in ten seconds.
 */
export function respCall(port: number, ...words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    const chunks: Buffer[] = [];
    const fail = (message: string): void => {
      socket.destroy();
      reject(new BenchError(`${words.join(" ")} on port ${port}: ${message}`));
    };
    socket.setTimeout(TIMEOUT_MS, () => fail("no answer"));
    socket.on("error", (error) => fail(error.message));
    socket.on("close", () => fail("connection closed"));
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      const reply = parseReply(Buffer.concat(chunks));
      if (reply === null) {
        return;
      }
      if (reply.startsWith("-")) {
        fail(reply.slice(1));
        return;
      }
      socket.destroy();
      resolve(reply.slice(1));
    });
    const bulks = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    socket.write(`*${words.length}\r\n${bulks.join("")}`);
  });
}

/** The reply with its type in front, or null while it is not whole. */
function parseReply(bytes: Buffer): string | null {
  const lineEnd = bytes.indexOf("\r\n");
  if (lineEnd < 0) {
    return null;
  }
  const line = bytes.toString("utf8", 0, lineEnd);
  if (!line.startsWith("$") && !line.startsWith("=")) {
    return line;
  }
  const length = Number(line.slice(1));
  const start = lineEnd + 2;
  return bytes.length < start + length + 2
    ? null
    : `$${bytes.toString("utf8", start, start + length)}`;
}
