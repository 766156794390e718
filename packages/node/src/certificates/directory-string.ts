/**
 * Turns the strings of X.509 into text, or refuses them. Kinds of which two programs may make different text
 * (TeletexString, whose bytes have meant Latin-1 to some and T.61 to others) are refused, and so are control characters:
 * a name with a zero byte was cut there by some and not by others.
 */
import { DerError, TAG, type DerElement } from "./der.ts";
import { NAME_BYTES_MAX } from "./limits.ts";

/** X.680, 41.4 */
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
/** C0, DEL and C1, and what turns text around or hides in it: it would not look like what it is. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u;
const ASCII = /^[\x20-\x7e]*$/;

/** A value of a distinguished name. @throws DerError */
export function decodeName(element: DerElement): string {
  const { tag, content } = element;
  checkLength(content);
  return checkText(decodeKind(tag, content));
}

/** The name of a machine, resource or mailbox: ASCII without control characters. @throws DerError */
export function decodePlain(content: Buffer): string {
  checkLength(content);
  const text = content.toString("latin1");
  if (!ASCII.test(text)) throw new DerError("a name has bytes that are not plain ASCII");
  return checkText(text);
}

function decodeKind(tag: number, content: Buffer): string {
  switch (tag) {
    case TAG.utf8String:
      return decodeWith("utf-8", content);
    case TAG.printableString: {
      const text = content.toString("latin1");
      if (!PRINTABLE.test(text)) throw new DerError("a PrintableString has other characters");
      return text;
    }
    case TAG.ia5String:
    case TAG.visibleString:
    case TAG.numericString:
      return decodePlain(content);
    case TAG.bmpString:
      if (content.length % 2 !== 0) throw new DerError("half a character in a BMPString");
      return decodeWith("utf-16be", content);
    case TAG.universalString:
      return decodeUniversal(content);
    default:
      throw new DerError(`a name is a string of a kind (0x${tag.toString(16)}) that is not read`);
  }
}

function decodeWith(encoding: "utf-8" | "utf-16be", content: Buffer): string {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw new DerError(`a name is not valid ${encoding}`);
  }
}

/** Four bytes a character. */
function decodeUniversal(content: Buffer): string {
  if (content.length % 4 !== 0) throw new DerError("part of a character in a UniversalString");
  let text = "";
  for (let at = 0; at < content.length; at += 4) {
    const code = content.readUInt32BE(at);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      throw new DerError("a UniversalString has a number that is no character");
    }
    text += String.fromCodePoint(code);
  }
  return text;
}

function checkLength(content: Buffer): void {
  if (content.length === 0) throw new DerError("a name is empty");
  if (content.length > NAME_BYTES_MAX) {
    throw new DerError(`a name is longer than ${NAME_BYTES_MAX} bytes`);
  }
}

function checkText(text: string): string {
  if (UNSEEN.test(text)) throw new DerError("a name has a character that can not be seen");
  return text;
}
