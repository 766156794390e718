/** Cross-protocol scripting: a web page can make a browser send HTTP here; its lines look like inline commands. */
import type { Argv } from "../resp/argv.ts";

/** Whether a request that names no command is a line of HTTP, by the two words Redis looks for as well. */
export function looksLikeHttp(argv: Argv): boolean {
  return argv.isWord(0, "POST") || argv.isWord(0, "HOST:");
}
