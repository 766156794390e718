/**
 * Steps through DER (X.690), for the two places where the ASN.1 library can not be used: it gives up on lists with more
 * than 10,000 parts, and it turns names into text leniently, which for names is a hole (S30).
 *
 *   +-----+----------------------+-----------------+
 *   | tag | length               | content         |
 *   |     | < 0x80: itself       |                 |
 *   |     | 0x8n: n bytes follow |                 |
 *   +-----+----------------------+-----------------+
 *
 * Only tags of one byte and definite, shortest lengths: DER allows nothing else, and what allows more than one reading of
 * the same bytes is not read at all.
 */

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The bytes are not DER, or not what was expected of them. */
export class DerError extends Error {
  override readonly name = "DerError";
}

/** One element. Views, not copies, and made when asked for: lists have a hundred thousand elements. */
export class DerElement {
  readonly tag: number;
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #contentStart: number;
  readonly #end: number;

  constructor(bytes: Buffer, start: number, contentStart: number, end: number) {
    this.tag = bytes[start];
    this.#bytes = bytes;
    this.#start = start;
    this.#contentStart = contentStart;
    this.#end = end;
  }

  /** What is inside. */
  get content(): Buffer {
    return this.#bytes.subarray(this.#contentStart, this.#end);
  }

  /** With tag and length. */
  get whole(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end);
  }
}

export class DerReader {
  #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Goes on with other bytes. */
  begin(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#at = 0;
  }

  get isDone(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The tag of what comes next, or null at the end. */
  get nextTag(): number | null {
    return this.isDone ? null : this.#bytes[this.#at];
  }

  /** @throws DerError at the end, on an indefinite or overlong length, and on an unexpected tag */
  next(expectedTag?: number): DerElement {
    const bytes = this.#bytes;
    const start = this.#at;
    if (start + 2 > bytes.length) throw new DerError("the data ends too early");
    const tag = bytes[start];
    if ((tag & 0x1f) === 0x1f) throw new DerError("a tag of several bytes");
    if (expectedTag !== undefined && tag !== expectedTag) {
      throw new DerError(`tag 0x${tag.toString(16)} where 0x${expectedTag.toString(16)} is wanted`);
    }
    const first = bytes[start + 1];
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    const length = lengthBytes === 0 ? first : this.#longLength(start + 2, lengthBytes);
    const from = start + 2 + lengthBytes;
    if (first === 0x80 || from + length > bytes.length) throw new DerError("a wrong length");
    this.#at = from + length;
    return new DerElement(bytes, start, from, this.#at);
  }

  /** What comes next if it has this tag. */
  optional(tag: number): DerElement | null {
    return this.nextTag === tag ? this.next(tag) : null;
  }

  /** @throws DerError when something is left */
  end(): void {
    if (!this.isDone) throw new DerError("more data than expected");
  }

  #longLength(at: number, count: number): number {
    if (count > 4 || at + count > this.#bytes.length) throw new DerError("a wrong length");
    const length = this.#bytes.readUIntBE(at, count);
    if (length < 0x80 || length < 2 ** (8 * (count - 1))) throw new DerError("an overlong length");
    return length;
  }
}

/** Every element of a SEQUENCE OF or SET OF. */
export function elementsOf(content: Buffer): readonly DerElement[] {
  const reader = new DerReader(content);
  const elements: DerElement[] = [];
  while (!reader.isDone) elements.push(reader.next());
  return elements;
}
