/** What is answered without TLS when TLS is required (require-tls): what health checks ask, and nothing that matters. */
import type { RunnableCommand } from "../commands/command.ts";
import type { Argv } from "../resp/argv.ts";

export const TLS_REQUIRED = "ERR TLS required: plaintext connections are not permitted";

const ANSWERED: ReadonlySet<string> = new Set(["ping", "hello", "quit"]);

/** HELLO with a password is not: the password has been sent in the clear, and must not be worth it. */
export function isAnsweredInPlaintext(command: RunnableCommand, argv: Argv): boolean {
  if (!ANSWERED.has(command.name)) return false;
  for (let index = 2; index < argv.count; index++) if (argv.isWord(index, "AUTH")) return false;
  return true;
}

/** Of a handshake record: content type 22, major version 3. */
const HANDSHAKE = 0x16;
const VERSION_MAJOR = 0x03;
export const NOT_TLS_HERE = "ERR Protocol error: TLS is not spoken on this port";

/** Whether bytes that are no request begin as a ClientHello does (S38). */
export function looksLikeTls(buffer: Buffer, at: number, end: number): boolean {
  return end - at >= 2 && buffer[at] === HANDSHAKE && buffer[at + 1] === VERSION_MAJOR;
}
