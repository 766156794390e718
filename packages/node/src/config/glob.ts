/**
 * Redis' glob patterns over setting names, without regard to case: `*`, `?`, `[abc]`, `[^a]`, `[a-z]` and `\` before
 * a character that stands for itself. One star is remembered at a time, so that a hostile pattern such as `*a*a*a*b`
 * costs at most pattern times name steps and not exponentially many.
 */
export function globMatches(pattern: string, name: string): boolean {
  const glob = pattern.toLowerCase();
  const text = name.toLowerCase();
  let globAt = 0;
  let textAt = 0;
  let starAt = -1;
  let starTextAt = 0;
  while (textAt < text.length) {
    if (glob[globAt] === "*") {
      starAt = globAt++;
      starTextAt = textAt;
      continue;
    }
    const next = matchOne(glob, globAt, text[textAt] ?? "");
    if (next >= 0) {
      globAt = next;
      textAt++;
    } else if (starAt >= 0) {
      globAt = starAt + 1;
      textAt = ++starTextAt;
    } else {
      return false;
    }
  }
  while (glob[globAt] === "*") globAt++;
  return globAt >= glob.length;
}

/** True when the text has a character that makes it a pattern and not a plain name (Redis asks for the same four). */
export function isGlob(text: string): boolean {
  return /[*?[\]]/.test(text);
}

/** Where the pattern goes on after it has taken `character`, or -1 when it does not. */
function matchOne(glob: string, at: number, character: string): number {
  const token = glob[at];
  if (token === undefined) return -1;
  if (token === "?") return at + 1;
  if (token === "[") return matchClass(glob, at + 1, character);
  if (token === "\\" && at + 1 < glob.length) return glob[at + 1] === character ? at + 2 : -1;
  return token === character ? at + 1 : -1;
}

function matchClass(glob: string, start: number, character: string): number {
  let at = start;
  const negated = glob[at] === "^";
  if (negated) at++;
  let found = false;
  while (at < glob.length && glob[at] !== "]") {
    if (glob[at] === "\\" && at + 1 < glob.length) at++;
    const low = glob[at] ?? "";
    if (glob[at + 1] === "-" && at + 2 < glob.length) {
      const high = glob[at + 2] ?? "";
      const [from, to] = low <= high ? [low, high] : [high, low];
      if (character >= from && character <= to) found = true;
      at += 3;
    } else {
      if (low === character) found = true;
      at++;
    }
  }
  // A class that is never closed ends with the pattern, as in Redis.
  return found === negated ? -1 : Math.min(at + 1, glob.length);
}
