/** Doubles as Redis 7.0 prints them: C's %.17g. */

const SIGNIFICANT_DIGITS = 17;

/**
 * %.17g: 17 significant digits, trailing zeros dropped, an exponent of at least two digits when it is below -4 or
 * above 16. Ties go to the even digit, as C does it and `toPrecision` does not.
 */
export function formatDouble(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0";
  if (Number.isSafeInteger(value)) return String(value);
  const sign = value < 0 ? "-" : "";
  const { digits, exponent } = roundDigits(Math.abs(value));
  const trimmed = digits.replace(/0+$/, "");
  if (exponent < -4 || exponent >= SIGNIFICANT_DIGITS) {
    const fraction = trimmed.length > 1 ? `.${trimmed.slice(1)}` : "";
    const magnitude = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${trimmed[0]}${fraction}e${exponent < 0 ? "-" : "+"}${magnitude}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${trimmed}`;
  const whole = digits.slice(0, exponent + 1);
  const fraction = trimmed.slice(exponent + 1);
  return fraction === "" ? sign + whole : `${sign}${whole}.${fraction}`;
}

/** The 17 digits and the power of ten of the first. */
function roundDigits(value: number): { digits: string; exponent: number } {
  const rounded = split(value.toExponential(SIGNIFICANT_DIGITS - 1));
  const longer = split(value.toExponential(SIGNIFICANT_DIGITS + 20));
  const rest = longer.digits.slice(SIGNIFICANT_DIGITS);
  const isTie = rest[0] === "5" && /^50*$/.test(rest);
  if (!isTie) return rounded;
  const kept = longer.digits.slice(0, SIGNIFICANT_DIGITS);
  const isEven = Number(kept.at(-1)) % 2 === 0;
  // A tie whose kept part is even stays; the other goes up, which is what `toExponential` did.
  return isEven ? { digits: kept, exponent: longer.exponent } : rounded;
}

function split(text: string): { digits: string; exponent: number } {
  const [mantissa = "", exponent = "0"] = text.split("e");
  return { digits: mantissa.replace(".", ""), exponent: Number(exponent) };
}
