/**
 * Reads floats the way C's strtold does, as far as Redis lets it:
 *
 *   [+-] digits [. digits] [e[+-]digits]
 *   [+-] 0x hexdigits [. hexdigits] [p[+-]digits]
 *   [+-] inf | infinity
 *
 * No blanks, nothing behind the number, no NaN. What is too large for an extended float, or so small that it would be
 * rounded to zero, is no number either.
 */
import type { ExtendedFloat } from "./extended-float.ts";
import { infinity, isInfinite, roundToExtended } from "./extended-float.ts";

/** Bytes a float may be written with; Redis' MAX_LONG_DOUBLE_CHARS. */
export const FLOAT_BYTES_MAX: number = 5 * 1024 - 1;

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
const HEXADECIMAL = /^([+-]?)0[xX]([\da-fA-F]*)(?:\.([\da-fA-F]*))?(?:[pP]([+-]?\d+))?$/;
const INFINITY = /^([+-]?)inf(?:inity)?$/i;

/** Decimal exponents beyond these are beyond the largest and below the smallest float, whatever the digits. */
const DECIMAL_EXPONENT_MAX = 4940;
const DECIMAL_EXPONENT_MIN = -4970;
const BINARY_EXPONENT_MAX = 16500;

/** The float that `text` (latin1) means, or null when Redis would say it is not a valid float. */
export function parseExtended(text: string): ExtendedFloat | null {
  if (text.length === 0 || text.length > FLOAT_BYTES_MAX) return null;
  const infinite = INFINITY.exec(text);
  if (infinite !== null) return infinity(infinite[1] === "-");
  const decimal = DECIMAL.exec(text);
  if (decimal !== null) return readDecimal(toParts(decimal));
  const hexadecimal = HEXADECIMAL.exec(text);
  return hexadecimal === null ? null : readHexadecimal(toParts(hexadecimal));
}

interface Parts {
  readonly negative: boolean;
  readonly whole: string;
  readonly fraction: string;
  readonly exponent: number;
}

function toParts(match: RegExpExecArray): Parts {
  return {
    negative: match[1] === "-",
    whole: match[2] ?? "",
    fraction: match[3] ?? "",
    exponent: Number(match[4] ?? "0"),
  };
}

function readDecimal({ negative, whole, fraction, exponent }: Parts): ExtendedFloat | null {
  const digits = whole + fraction;
  if (digits === "") return null;
  const significant = digits.replace(/^0+/, "");
  if (significant === "") return roundToExtended(negative, ONE_ZERO);
  const scale = exponent - fraction.length;
  const magnitude = scale + significant.length;
  if (magnitude > DECIMAL_EXPONENT_MAX || magnitude < DECIMAL_EXPONENT_MIN) return null;
  const numerator = BigInt(significant);
  const power = 10n ** BigInt(Math.abs(scale));
  return acceptRounded(
    scale >= 0
      ? roundToExtended(negative, { numerator: numerator * power, denominator: 1n, exponent: 0 })
      : roundToExtended(negative, { numerator, denominator: power, exponent: 0 }),
  );
}

function readHexadecimal({ negative, whole, fraction, exponent }: Parts): ExtendedFloat | null {
  const digits = whole + fraction;
  if (digits === "") return null;
  const significant = digits.replace(/^0+/, "");
  if (significant === "") return roundToExtended(negative, ONE_ZERO);
  const scale = exponent - fraction.length * 4;
  const magnitude = scale + significant.length * 4;
  if (Math.abs(magnitude) > BINARY_EXPONENT_MAX) return null;
  const numerator = BigInt(`0x${significant}`);
  return acceptRounded(roundToExtended(negative, { numerator, denominator: 1n, exponent: scale }));
}

const ONE_ZERO = { numerator: 0n, denominator: 1n, exponent: 0 } as const;

/** strtold reports a range error for these, which Redis takes for "not a float". */
function acceptRounded(value: ExtendedFloat): ExtendedFloat | null {
  return isInfinite(value) || value.mantissa === 0n ? null : value;
}
