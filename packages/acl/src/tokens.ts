/**
 * Words of a line, with quotes. Two dialects:
 *   - inside a selector, as Redis splits it: a quote may begin anywhere in a word and needs a space behind its end;
 *   - in the ACL file: a word is quoted when it begins with a quote, so that lines of Redis' own files, which know no
 *     quotes, are read as they were meant.
 * In double quotes \n \r \t \b \a \xHH and \ before any other byte are escapes, in single quotes only \'.
 */

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  a: "\x07",
};

/** Words of a line of the ACL file before its rules: "user" and the name. */
const NAME_WORDS = 2;

interface Quoted {
  readonly text: string;
  /** Behind the closing quote. */
  readonly end: number;
}

/** The words of a selector without its parentheses, or undefined when the quotes are not balanced. */
export function splitSelectorWords(text: string): string[] | undefined {
  return splitWords(text, true);
}

/** The words of a line of the ACL file, or undefined when the quotes are not balanced. */
export function splitFileWords(line: string): string[] | undefined {
  return splitWords(line, false);
}

function splitWords(text: string, quotesAnywhere: boolean): string[] | undefined {
  const words: string[] = [];
  let at = 0;
  let isInSelector = false;
  for (;;) {
    while (at < text.length && isSpace(text[at])) at++;
    if (at >= text.length) return words;
    let word = "";
    const start = at;
    while (at < text.length && !isSpace(text[at])) {
      const isQuote = text[at] === '"' || text[at] === "'";
      if (!isQuote || (!quotesAnywhere && (at > start || isInSelector))) {
        word += text[at++];
        continue;
      }
      const quoted = readQuoted(text, at);
      if (quoted === undefined) return undefined;
      word += quoted.text;
      at = quoted.end;
      if (at < text.length && !isSpace(text[at])) return undefined;
    }
    words.push(word);
    // Quotes inside a selector of a file are left to the selector. A name is none, whatever it begins with.
    if (text[start] === "(" && words.length > NAME_WORDS) isInSelector = true;
    if (word.endsWith(")")) isInSelector = false;
  }
}

function readQuoted(text: string, start: number): Quoted | undefined {
  const quote = text[start];
  let result = "";
  for (let at = start + 1; at < text.length; at++) {
    const character = text[at];
    if (character === quote) return { text: result, end: at + 1 };
    if (character !== "\\") {
      result += character;
    } else if (quote === "'") {
      const isEscape = text[at + 1] === "'";
      result += isEscape ? "'" : character;
      if (isEscape) at++;
    } else if (/^x[0-9a-fA-F]{2}/.test(text.slice(at + 1, at + 4))) {
      result += String.fromCharCode(Number.parseInt(text.slice(at + 2, at + 4), 16));
      at += 3;
    } else if (at + 1 < text.length) {
      result += ESCAPES[text[at + 1]] ?? text[at + 1];
      at++;
    }
  }
  return undefined;
}

/** In double quotes; everything but printable ASCII is escaped. */
export function quoteWord(word: string): string {
  const escaped = word.replaceAll(/[^ !#-[\]-~]/g, (character) => {
    if (character === '"' || character === "\\") return `\\${character}`;
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return `"${escaped}"`;
}

/** Redis' isspace: what neither names nor patterns may hold, besides NUL. */
export function hasSpaceOrNul(text: string): boolean {
  return /[\0\t-\r ]/.test(text);
}

function isSpace(character: string): boolean {
  return /[\0\t-\r ]/.test(character);
}
