/** Writes DER, also such as no tool would: what is to be refused has to be made first. */

/** One element of any tag around any content. */
export function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export const sequence = (...content: readonly Buffer[]): Buffer => der(0x30, ...content);
export const set = (...content: readonly Buffer[]): Buffer => der(0x31, ...content);
export const octets = (content: Buffer): Buffer => der(0x04, content);
export const bits = (content: Buffer): Buffer => der(0x03, Buffer.from([0]), content);
export const truth = (): Buffer => der(0x01, Buffer.from([0xff]));
export const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text, "utf8"));
export const printable = (text: string): Buffer => der(0x13, Buffer.from(text, "latin1"));

export function integer(value: bigint | number): Buffer {
  let hex = BigInt(value).toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  const bytes = Buffer.from(hex, "hex");
  return der(0x02, bytes[0] >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

export function identifier(dotted: string): Buffer {
  const [first, second, ...others] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const part of others) {
    const digits = [part & 0x7f];
    for (let rest = part >> 7; rest > 0; rest >>= 7) digits.unshift((rest & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return der(0x06, Buffer.from(bytes));
}

/** A GeneralizedTime: legal for every year, unlike UTCTime. */
export function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, "");
  return der(0x18, Buffer.from(text));
}

/** One part of a distinguished name. */
export function attribute(type: string, value: Buffer): Buffer {
  return sequence(identifier(type), value);
}

export const COMMON_NAME = "2.5.4.3";

/** A name with only a common name in it. */
export function nameOf(commonName: string): Buffer {
  return sequence(set(attribute(COMMON_NAME, utf8(commonName))));
}
