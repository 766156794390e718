/** The log of a node, made short for a screen that it shares with others. */
import { open } from "node:fs/promises";

interface LogLine {
  readonly level?: unknown;
  readonly msg?: unknown;
  readonly err?: { readonly message?: unknown };
}

/** How much of the end of a log is looked at for its last lines. */
const TAIL_BYTES = 16 * 1024;
const LINE_CHARACTERS_MAX = 300;

/** Fields that every line has, or that are shown in another way. */
const PLAIN_FIELDS: ReadonlySet<string> = new Set(["level", "time", "node", "msg", "err"]);

/** `warn the disk is slow (path=log)`; lines that are not JSON (a crash of the runtime) stay as they are. */
export function shortLogLine(line: string): string {
  const text = parsedText(line) ?? line.trimEnd();
  // Control characters in a log must not drive the terminal.
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const printable = text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
  return printable.length > LINE_CHARACTERS_MAX
    ? `${printable.slice(0, LINE_CHARACTERS_MAX)}...`
    : printable;
}

function parsedText(line: string): string | null {
  let parsed: LogLine | null;
  try {
    parsed = JSON.parse(line) as LogLine | null;
  } catch {
    // Not one of ours: shown as it stands.
    return null;
  }
  if (typeof parsed?.msg !== "string") return null;
  const detail = typeof parsed.err?.message === "string" ? `: ${parsed.err.message}` : "";
  return `${String(parsed.level)} ${parsed.msg}${detail}${shownFields(parsed)}`;
}

/** The further fields that are numbers or short texts: which peer, which file. */
function shownFields(line: LogLine): string {
  const fields = Object.entries(line)
    .filter(([name, value]) => !PLAIN_FIELDS.has(name) && /^(string|number)$/.test(typeof value))
    .map(([name, value]) => `${name}=${String(value)}`);
  return fields.length === 0 ? "" : ` (${fields.join(" ")})`;
}

/** The last lines of a log file, shortened; none when it can not be read. */
export async function lastLogLines(path: string, count: number): Promise<string[]> {
  let file;
  try {
    file = await open(path, "r");
  } catch (error) {
    return [`(${path} can not be read: ${(error as Error).message})`];
  }
  try {
    const { size } = await file.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString("utf8", 0, bytesRead).split("\n");
    return lines
      .filter((line) => line.trim() !== "")
      .slice(-count)
      .map(shortLogLine);
  } finally {
    await file.close();
  }
}
