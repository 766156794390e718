/** What a client is told when its request names no command, byte for byte as Redis 7.0 says it. */
import type { Argv } from "../resp/argv.ts";
import type { CommandSpec } from "./command.ts";

/** Bytes of the client's own words that an error repeats. */
const QUOTED_BYTES_MAX = 128;

/** "ERR unknown command 'foo', with args beginning with: 'a' 'b' " */
export function unknownCommandText(argv: Argv): string {
  let beginning = "";
  for (let index = 1; index < argv.count && beginning.length < QUOTED_BYTES_MAX; index++) {
    beginning += `'${quotable(argv, index, QUOTED_BYTES_MAX - beginning.length)}' `;
  }
  const name = argv.count === 0 ? "" : quotable(argv, 0, QUOTED_BYTES_MAX);
  return `ERR unknown command '${name}', with args beginning with: ${beginning}`;
}

/** "ERR unknown subcommand 'x'. Try CLIENT HELP." */
export function unknownSubcommandText(argv: Argv): string {
  const container = quotable(argv, 0, QUOTED_BYTES_MAX).replace(/[a-z]/g, (letter) =>
    letter.toUpperCase(),
  );
  return `ERR unknown subcommand '${quotable(argv, 1, QUOTED_BYTES_MAX)}'. Try ${container} HELP.`;
}

/** "ERR wrong number of arguments for 'client|kill' command" */
export function wrongArityText(command: CommandSpec): string {
  return `ERR wrong number of arguments for '${command.name}' command`;
}

/** An argument as an error repeats it. */
export function quotedArgument(argv: Argv, index: number): string {
  return asCString(argv.latin1(index));
}

/** Redis prints what it repeats as a C string, which ends at a zero byte. */
export function asCString(text: string): string {
  const zero = text.indexOf("\0");
  return zero < 0 ? text : text.slice(0, zero);
}

/** An argument as far as it may be repeated. */
function quotable(argv: Argv, index: number, bytesMax: number): string {
  const start = argv.starts[index];
  const end = Math.min(argv.ends[index], start + bytesMax);
  return asCString(argv.buffer.toString("latin1", start, end));
}
