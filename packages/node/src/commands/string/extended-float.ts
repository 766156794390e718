/**
 * Floats with a mantissa of 64 bits, as x86 calls extended precision and C long double. Redis adds them in
 * INCRBYFLOAT; here they are integers times powers of two, so that every node gets the same bits on every machine.
 *
 *   value = (negative ? -1 : 1) * mantissa * 2^exponent
 *
 *   mantissa  0 .. 2^64-1       exponent  -16445 .. 16320 (16320 + 64 bits = 2^16384, the first value too large)
 *
 * Rounding is to nearest, ties to even. Infinity has the exponent Infinity. A zero keeps its sign.
 */
export interface ExtendedFloat {
  readonly negative: boolean;
  readonly mantissa: bigint;
  readonly exponent: number;
}

const MANTISSA_BITS = 64;
const EXPONENT_MIN = -16445;
const EXPONENT_MAX = 16320;
/** Digits after the point that Redis prints before it drops zeros. */
const FRACTION_DIGITS = 17;
const FRACTION_SCALE = 10n ** BigInt(FRACTION_DIGITS);

export function isInfinite(value: ExtendedFloat): boolean {
  return value.exponent === Infinity;
}

export function infinity(negative: boolean): ExtendedFloat {
  return { negative, mantissa: 1n, exponent: Infinity };
}

/**
 * The float nearest to `numerator / denominator * 2^exponent`, infinity beyond the largest. Both are not negative, the
 * denominator is not 0.
 */
export function roundToExtended(
  negative: boolean,
  ratio: { readonly numerator: bigint; readonly denominator: bigint; readonly exponent: number },
): ExtendedFloat {
  const { numerator, denominator } = ratio;
  if (numerator === 0n) return { negative, mantissa: 0n, exponent: 0 };
  // The quotient gets 65 or 66 bits: a mantissa and at least one bit to round by.
  let shift = bitLength(denominator) - bitLength(numerator) + MANTISSA_BITS + 1;
  // Below the smallest normal number the last bit has a fixed place.
  shift = Math.min(shift, ratio.exponent - EXPONENT_MIN + 2);
  const scaled = shift >= 0 ? numerator << BigInt(shift) : numerator;
  const divisor = shift >= 0 ? denominator : denominator << BigInt(-shift);
  const quotient = scaled / divisor;
  const isExact = quotient * divisor === scaled;
  return roundBits(negative, quotient, { exponent: ratio.exponent - shift, isExact });
}

/** Rounds an integer of any length; `isExact` is false when something between it and the next was cut off. */
function roundBits(
  negative: boolean,
  bits: bigint,
  { exponent, isExact }: { readonly exponent: number; readonly isExact: boolean },
): ExtendedFloat {
  const drop = Math.max(bitLength(bits) - MANTISSA_BITS, EXPONENT_MIN - exponent, 0);
  if (drop === 0) return finish(negative, bits, exponent);
  let mantissa = bits >> BigInt(drop);
  const rest = bits - (mantissa << BigInt(drop));
  const half = 1n << BigInt(drop - 1);
  const isAbove = rest > half || (rest === half && !isExact);
  const isTie = rest === half && isExact;
  if (isAbove || (isTie && (mantissa & 1n) === 1n)) mantissa += 1n;
  return finish(negative, mantissa, exponent + drop);
}

function finish(negative: boolean, mantissa: bigint, exponent: number): ExtendedFloat {
  if (mantissa !== 0n && exponent + bitLength(mantissa) > EXPONENT_MAX + MANTISSA_BITS) {
    return infinity(negative);
  }
  return { negative, mantissa, exponent: mantissa === 0n ? 0 : exponent };
}

/** The rounded sum; null when it is not a number (infinities of both signs). */
export function addExtended(a: ExtendedFloat, b: ExtendedFloat): ExtendedFloat | null {
  if (isInfinite(a)) return isInfinite(b) && a.negative !== b.negative ? null : a;
  if (isInfinite(b)) return b;
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = signedAt(a, exponent) + signedAt(b, exponent);
  if (sum === 0n) return { negative: a.negative && b.negative, mantissa: 0n, exponent: 0 };
  const negative = sum < 0n;
  return roundBits(negative, negative ? -sum : sum, { exponent, isExact: true });
}

function signedAt(value: ExtendedFloat, exponent: number): bigint {
  if (value.mantissa === 0n) return 0n;
  const scaled = value.mantissa << BigInt(value.exponent - exponent);
  return value.negative ? -scaled : scaled;
}

/**
 * 17 digits after the point, rounded from the exact value, without the zeros at the end: what Redis answers and
 * stores. Not for infinities.
 */
export function formatHuman(value: ExtendedFloat): string {
  const { mantissa, exponent } = value;
  const scaled = mantissa * FRACTION_SCALE;
  let rounded: bigint;
  if (exponent >= 0) {
    rounded = scaled << BigInt(exponent);
  } else {
    const shift = BigInt(-exponent);
    rounded = scaled >> shift;
    const rest = scaled - (rounded << shift);
    const half = 1n << (shift - 1n);
    if (rest > half || (rest === half && (rounded & 1n) === 1n)) rounded += 1n;
  }
  if (rounded === 0n) return "0";
  const digits = rounded.toString().padStart(FRACTION_DIGITS + 1, "0");
  const whole = digits.slice(0, -FRACTION_DIGITS);
  const fraction = digits.slice(-FRACTION_DIGITS).replace(/0+$/, "");
  const sign = value.negative ? "-" : "";
  return fraction === "" ? sign + whole : `${sign}${whole}.${fraction}`;
}

function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const text = value.toString(16);
  return (text.length - 1) * 4 + (32 - Math.clz32(parseInt(text[0], 16)));
}
