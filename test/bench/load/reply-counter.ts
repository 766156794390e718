const CR = 0x0d;
const LF = 0x0a;
const DOLLAR = 0x24;
const MINUS = 0x2d;
const COLON = 0x3a;
const ZERO = 0x30;

const TYPE = 0;
const LINE = 1;
const LENGTH = 2;
const BODY = 3;

/**
 * Counts whole replies in a stream of chunks cut anywhere, looking at as few bytes as it can:
 * simple strings, errors, integers and bulk strings, which is all that SET, GET and WAIT answer.
 */
export class ReplyCounter {
  errorReplies = 0;
  /** Integer replies of 0: a WAIT that no replica answered in time. */
  zeroReplies = 0;
  firstError = "";

  #state = TYPE;
  #length = 0;
  #negative = false;
  #bodyLeft = 0;
  #lineType = 0;
  #lineText = "";
  #lineValue = 0;

  /** Takes `byteCount` bytes and returns how many replies were completed by them. */
  push(chunk: Uint8Array, byteCount: number): number {
    let completed = 0;
    let at = 0;
    while (at < byteCount) {
      if (this.#state === BODY) {
        const taken = Math.min(this.#bodyLeft, byteCount - at);
        at += taken;
        this.#bodyLeft -= taken;
        if (this.#bodyLeft > 0) break;
        this.#state = TYPE;
        completed++;
        continue;
      }
      const byte = chunk[at++];
      if (this.#state === TYPE) {
        this.#begin(byte);
      } else if (byte === LF) {
        completed += this.#endLine();
      } else if (byte !== CR) {
        this.#takeLineByte(byte);
      }
    }
    return completed;
  }

  #begin(type: number): void {
    this.#state = type === DOLLAR ? LENGTH : LINE;
    this.#lineType = type;
    this.#length = 0;
    this.#negative = false;
    this.#lineValue = 0;
    if (type === MINUS) {
      this.#lineText = "";
    }
  }

  #takeLineByte(byte: number): void {
    if (this.#state === LENGTH) {
      if (byte === MINUS) {
        this.#negative = true;
      } else {
        this.#length = this.#length * 10 + byte - ZERO;
      }
    } else if (this.#lineType === COLON) {
      this.#lineValue = this.#lineValue * 10 + byte - ZERO;
    } else if (this.#lineType === MINUS) {
      this.#lineText += String.fromCharCode(byte);
    }
  }

  /** Returns 1 if the line was a whole reply, 0 if a body follows. */
  #endLine(): number {
    if (this.#state === LENGTH && !this.#negative) {
      this.#bodyLeft = this.#length + 2;
      this.#state = BODY;
      return 0;
    }
    this.#state = TYPE;
    if (this.#lineType === MINUS) {
      this.errorReplies++;
      this.firstError ||= this.#lineText;
    } else if (this.#lineType === COLON && this.#lineValue === 0) {
      this.zeroReplies++;
    }
    return 1;
  }
}
