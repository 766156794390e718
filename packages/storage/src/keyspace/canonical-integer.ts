/** The longest text of a 64-bit integer: "-9223372036854775808". */
export const INTEGER_TEXT_BYTES_MAX = 20;

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const MINUS = 0x2d;
/** Digits of 2^63 - 1 without the last, and its last digit. */
const LIMIT_HEAD = "922337203685477580";
const DIGITS_MAX = 19;

/**
 * Whether `buffer[start, end)` is how Redis prints a 64-bit integer: no plus sign, no leading zeros, no "-0", between
 * -2^63 and 2^63 - 1.
 */
export function isCanonicalInteger(buffer: Uint8Array, start: number, end: number): boolean {
  const negative = buffer[start] === MINUS;
  const first = negative ? start + 1 : start;
  const digits = end - first;
  if (start >= end || digits < 1 || digits > DIGITS_MAX) {
    return false;
  }
  for (let at = first; at < end; at += 1) {
    if (buffer[at] < DIGIT_0 || buffer[at] > DIGIT_9) {
      return false;
    }
  }
  if (buffer[first] === DIGIT_0) {
    return digits === 1 && !negative;
  }
  return digits < DIGITS_MAX || isWithinLimit(buffer, first, negative);
}

/** For 19 digits: whether they are at most 2^63 - 1, or 2^63 for a negative number. */
function isWithinLimit(buffer: Uint8Array, first: number, negative: boolean): boolean {
  for (let place = 0; place < LIMIT_HEAD.length; place += 1) {
    const difference = buffer[first + place] - LIMIT_HEAD.charCodeAt(place);
    if (difference !== 0) {
      return difference < 0;
    }
  }
  return buffer[first + DIGITS_MAX - 1] <= DIGIT_0 + (negative ? 8 : 7);
}
