/**
 * Redis' glob semantics, written as plainly as possible: elements by recursion, so exponential and only for short texts.
 * What the compiled matcher is held against.
 */
export function redisGlob(pattern: string, text: string): boolean {
  return text === "" ? pattern === "" : rest(pattern, text);
}

function rest(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  if (pattern[0] === "*") {
    return rest(pattern.slice(1), text) || (text !== "" && rest(pattern, text.slice(1)));
  }
  if (text === "") return false;
  const { length, matches } = element(pattern, text[0]);
  return matches && rest(pattern.slice(length), text.slice(1));
}

function element(pattern: string, character: string): { length: number; matches: boolean } {
  if (pattern[0] === "?") return { length: 1, matches: true };
  if (pattern[0] === "\\" && pattern.length > 1) {
    return { length: 2, matches: pattern[1] === character };
  }
  if (pattern[0] !== "[") return { length: 1, matches: pattern[0] === character };
  const isNegated = pattern[1] === "^";
  let at = isNegated ? 2 : 1;
  let isIn = false;
  while (at < pattern.length && pattern[at] !== "]") {
    if (pattern[at] === "\\" && at + 1 < pattern.length) {
      isIn ||= pattern[at + 1] === character;
      at += 2;
    } else if (pattern[at + 1] === "-" && at + 2 < pattern.length) {
      const bounds = [signed(pattern[at]), signed(pattern[at + 2])];
      isIn ||= signed(character) >= Math.min(...bounds) && signed(character) <= Math.max(...bounds);
      at += 3;
    } else {
      isIn ||= pattern[at] === character;
      at += 1;
    }
  }
  return { length: at + 1, matches: isIn !== isNegated };
}

function signed(character: string): number {
  const code = character.charCodeAt(0);
  return code < 0x80 ? code : code - 0x100;
}
