/** Takes a stream of RESP2 replies apart, however it was chopped up. */
export type SimReply =
  | { readonly kind: "text" | "error"; readonly text: string }
  | { readonly kind: "integer"; readonly value: number }
  /** Null: there is none. */
  | { readonly kind: "bulk"; readonly text: string | null }
  | { readonly kind: "list"; readonly items: readonly SimReply[] };

export class ReplyReader {
  #rest = "";
  /** Where the reply that is being read goes on. */
  #at = 0;

  /** The replies that are whole now, in order. @throws Error when it is none: the server has lost its place. */
  push(bytes: Buffer): SimReply[] {
    this.#rest += bytes.toString("latin1");
    const replies: SimReply[] = [];
    for (let reply = this.#whole(); reply !== null; reply = this.#whole()) replies.push(reply);
    return replies;
  }

  #whole(): SimReply | null {
    this.#at = 0;
    const reply = this.#next();
    if (reply !== null) this.#rest = this.#rest.slice(this.#at);
    return reply;
  }

  /** Null: not all of it is there. */
  #next(): SimReply | null {
    const lineEnd = this.#rest.indexOf("\r\n", this.#at);
    if (lineEnd < 0) return null;
    const mark = this.#rest[this.#at];
    const line = this.#rest.slice(this.#at + 1, lineEnd);
    this.#at = lineEnd + 2;
    switch (mark) {
      case "+":
        return { kind: "text", text: line };
      case "-":
        return { kind: "error", text: line };
      case ":":
        return { kind: "integer", value: Number(line) };
      case "$":
        return this.#bulk(Number(line));
      case "*":
        return this.#list(Number(line));
      default:
        throw new Error(`a reply begins with ${JSON.stringify(mark + line)}`);
    }
  }

  #bulk(length: number): SimReply | null {
    if (length < 0) return { kind: "bulk", text: null };
    const start = this.#at;
    if (this.#rest.length < start + length + 2) return null;
    this.#at = start + length + 2;
    return { kind: "bulk", text: this.#rest.slice(start, start + length) };
  }

  #list(length: number): SimReply | null {
    const items: SimReply[] = [];
    while (items.length < length) {
      const item = this.#next();
      if (item === null) return null;
      items.push(item);
    }
    return { kind: "list", items };
  }
}
