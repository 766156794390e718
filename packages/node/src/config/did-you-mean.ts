/** Edits that still count as a slip of the fingers; beyond that a suggestion would only confuse. */
const DISTANCE_MAX = 3;

/**
 * The candidate that is closest to `word` in single-character edits, else one that is its last part ("dir" for
 * "data-dir"), or null. Ties go to the candidate that comes first.
 */
export function closestName(word: string, candidates: Iterable<string>): string | null {
  const lastPart = word.slice(word.lastIndexOf("-") + 1);
  let part: string | null = null;
  let best: string | null = null;
  let bestDistance = Math.min(DISTANCE_MAX, Math.floor(word.length / 2)) + 1;
  for (const candidate of candidates) {
    if (candidate === lastPart) part = candidate;
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? part;
}

/** ` (did you mean "port"?)`, or nothing when no candidate is close. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const name = closestName(word, candidates);
  return name === null ? "" : ` (did you mean "${name}"?)`;
}

/** Levenshtein distance with one row of memory. */
function editDistance(left: string, right: string): number {
  const row: number[] = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    let diagonal = row[0] ?? 0;
    row[0] = i;
    for (let j = 1; j <= right.length; j++) {
      const above = row[j] ?? 0;
      const substitution = diagonal + (left[i - 1] === right[j - 1] ? 0 : 1);
      row[j] = Math.min(substitution, above + 1, (row[j - 1] ?? 0) + 1);
      diagonal = above;
    }
  }
  return row[right.length] ?? 0;
}
