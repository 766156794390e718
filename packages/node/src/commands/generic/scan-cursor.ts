/** SCAN's cursor, read the way C's strtoul reads it. */

const CURSOR = /^[+-]?\d+$/;
const CURSOR_LIMIT = 2n ** 64n;
/** More digits than 2^64 has, leading zeros aside. */
const DIGITS_MAX = 20;

/**
 * The cursor, or null when Redis would call it invalid. An empty text is 0, a sign is taken, a negative number counts
 * down from 2^64.
 */
export function parseCursor(text: string): bigint | null {
  if (text === "") return 0n;
  if (!CURSOR.test(text)) return null;
  const negative = text.startsWith("-");
  const digits = text.replace(/^[+-]?0*/, "");
  if (digits.length > DIGITS_MAX) return null;
  const value = BigInt(digits === "" ? "0" : digits);
  if (value >= CURSOR_LIMIT) return null;
  return negative ? (CURSOR_LIMIT - value) % CURSOR_LIMIT : value;
}
