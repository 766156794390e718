/**
 * The syntax of redis.conf: one directive per line, words separated by blanks, `#` at the beginning of a line for a
 * comment, "double" quotes with escapes and 'single' quotes without.
 */
export interface Directive {
  /** As written. */
  readonly name: string;
  readonly words: readonly string[];
  /** Counted from 1. */
  readonly line: number;
}

export interface ConfFile {
  readonly directives: readonly Directive[];
  readonly errors: readonly { readonly line: number; readonly text: string }[];
}

/** Reads all lines; a line that can not be read is an error and the others are read all the same. */
export function parseConfFile(content: string): ConfFile {
  const directives: Directive[] = [];
  const errors: { line: number; text: string }[] = [];
  const lines = content.replace(/^\uFEFF/, "").split("\n");
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const words = splitWords(line);
    if (words === null) {
      errors.push({ line: index + 1, text: "unbalanced quotes" });
    } else {
      const [name = "", ...rest] = words;
      directives.push({ name, words: rest, line: index + 1 });
    }
  }
  return { directives, errors };
}

/**
 * Splits a line into words by Redis' rules (those of its inline protocol as well): a closing quote must be followed
 * by a blank or the end. Null when quotes are unbalanced.
 */
export function splitWords(line: string): string[] | null {
  const words: string[] = [];
  let at = 0;
  while (at < line.length) {
    if (isBlank(line[at])) {
      at++;
      continue;
    }
    const word = readWord(line, at);
    if (word === null) return null;
    words.push(word.text);
    at = word.end;
  }
  return words;
}

interface Word {
  readonly text: string;
  readonly end: number;
}

function readWord(line: string, start: number): Word | null {
  let text = "";
  let at = start;
  while (at < line.length && !isBlank(line[at])) {
    const character = line[at] ?? "";
    if (character === '"' || character === "'") {
      const quoted =
        character === '"' ? readDoubleQuoted(line, at + 1) : readSingleQuoted(line, at + 1);
      if (quoted === null) return null;
      if (quoted.end < line.length && !isBlank(line[quoted.end])) return null;
      return { text: text + quoted.text, end: quoted.end };
    }
    text += character;
    at++;
  }
  return { text, end: at };
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  a: "\u0007",
};

function readDoubleQuoted(line: string, start: number): Word | null {
  let text = "";
  let at = start;
  while (at < line.length) {
    const character = line[at] ?? "";
    if (character === '"') return { text, end: at + 1 };
    if (character !== "\\" || at + 1 >= line.length) {
      text += character;
      at++;
      continue;
    }
    const hex = /^\\x([0-9a-fA-F]{2})/.exec(line.slice(at, at + 4));
    if (hex === null) {
      const escaped = line[at + 1] ?? "";
      text += ESCAPES[escaped] ?? escaped;
      at += 2;
    } else {
      text += String.fromCharCode(Number.parseInt(hex[1] ?? "", 16));
      at += 4;
    }
  }
  return null;
}

function readSingleQuoted(line: string, start: number): Word | null {
  let text = "";
  let at = start;
  while (at < line.length) {
    const character = line[at] ?? "";
    if (character === "'") return { text, end: at + 1 };
    const escapedQuote = character === "\\" && line[at + 1] === "'";
    text += escapedQuote ? "'" : character;
    at += escapedQuote ? 2 : 1;
  }
  return null;
}

function isBlank(character: string | undefined): boolean {
  return (
    character === " " ||
    character === "\t" ||
    character === "\r" ||
    character === "\v" ||
    character === "\f"
  );
}
