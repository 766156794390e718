/**
 * JSON in which equal values have equal texts: the fields of an object are in the order of their names. Two nodes may have made the
 * same object in different ways, one by applying the log, the other by reading a snapshot.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) => {
    if (part === null || typeof part !== "object" || Array.isArray(part)) return part;
    const fields = Object.entries(part);
    return Object.fromEntries(fields.sort(([left], [right]) => (left < right ? -1 : 1)));
  });
}
