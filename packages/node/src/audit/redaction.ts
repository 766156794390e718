/** Takes secrets out of what is written down about changes. */

/**
 * What begins with `#`, `!`, `>` or `<` is a password or the hash of one; quoted as in acl.conf or bare. A user whose name
 * begins so loses it too: rather that than a password that a clever line makes look like a name.
 */
const SECRET_WORD =
  /(?<=^|\s)(?:"([#!><])(?:\\[\s\S]|[^"\\])*"?|'([#!><])(?:\\[\s\S]|[^'\\])*'?|([#!><])\S*)/g;

/**
 * The line or rules of a user (`user alice on #5e88... ~app:* +@read`, or what was given to ACL SETUSER) with every
 * password and hash replaced: `#(redacted)`.
 */
export function redactUserLine(line: string): string {
  return line.replaceAll(
    SECRET_WORD,
    (_word, double: string | undefined, single: string | undefined, bare: string | undefined) =>
      `${double ?? single ?? bare ?? ""}(redacted)`,
  );
}
