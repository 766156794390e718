/**
 * 64-bit integers in the text form Redis takes: an optional minus, no plus, no blanks, no leading zeros. Numbers that
 * a double holds exactly stay doubles; BigInt is for the rest.
 */

export const INT64_MAX = 9_223_372_036_854_775_807n;
export const INT64_MIN = -9_223_372_036_854_775_808n;

/** Up to here the digits need no BigInt. */
const SAFE_DIGITS = 15;
const INT64_DIGITS_MAX = 19;
const MINUS = 0x2d;
const ZERO = 0x30;

/**
 * The integer `buffer[start, end)` when it is one with at most 15 digits, else NaN. Allocates nothing: try this first,
 * `parseInt64` next.
 */
export function parseSmallInteger(buffer: Uint8Array, start: number, end: number): number {
  let at = start;
  const negative = at < end && buffer[at] === MINUS;
  if (negative) at++;
  const digits = end - at;
  if (digits < 1 || digits > SAFE_DIGITS) return NaN;
  if (buffer[at] === ZERO && (digits > 1 || negative)) return NaN;
  let value = 0;
  for (; at < end; at++) {
    const digit = buffer[at] - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** The 64-bit integer `buffer[start, end)`, or null when it is not one or does not fit. */
export function parseInt64(buffer: Uint8Array, start: number, end: number): bigint | null {
  let at = start;
  const negative = at < end && buffer[at] === MINUS;
  if (negative) at++;
  const digits = end - at;
  if (digits < 1 || digits > INT64_DIGITS_MAX) return null;
  if (buffer[at] === ZERO && (digits > 1 || negative)) return null;
  let value = 0n;
  for (; at < end; at++) {
    const digit = buffer[at] - ZERO;
    if (digit < 0 || digit > 9) return null;
    value = value * 10n + BigInt(digit);
  }
  if (negative) value = -value;
  return value < INT64_MIN || value > INT64_MAX ? null : value;
}

/** A number when it is small, a BigInt when it is not, null when it is no 64-bit integer. */
export function parseInteger(
  buffer: Uint8Array,
  start: number,
  end: number,
): number | bigint | null {
  const small = parseSmallInteger(buffer, start, end);
  return Number.isNaN(small) ? parseInt64(buffer, start, end) : small;
}

/** Characters of the decimal form of a safe integer. */
export function decimalLength(value: number): number {
  let rest = Math.abs(value);
  let length = value < 0 ? 2 : 1;
  while (rest >= 10) {
    rest = Math.floor(rest / 10);
    length++;
  }
  return length;
}

/** Writes the decimal form of a safe integer, `length` as `decimalLength` says. */
export function writeDecimal(out: Uint8Array, start: number, length: number, value: number): void {
  let rest = Math.abs(value);
  const first = value < 0 ? start + 1 : start;
  if (value < 0) out[start] = MINUS;
  for (let at = start + length - 1; at >= first; at--) {
    const next = Math.floor(rest / 10);
    out[at] = ZERO + (rest - next * 10);
    rest = next;
  }
}
