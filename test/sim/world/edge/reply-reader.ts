/** Takes a stream of RESP2 replies apart, however it was chopped up. Replies are flat here: what simulated clients ask for. */
export type SimReply =
  | { readonly kind: "text" | "error"; readonly text: string }
  | { readonly kind: "integer"; readonly value: number }
  /** Null: there is none. */
  | { readonly kind: "bulk"; readonly text: string | null };

export class ReplyReader {
  #rest = "";

  /** The replies that are whole now, in order. @throws Error when it is none: the server has lost its place. */
  push(bytes: Buffer): SimReply[] {
    this.#rest += bytes.toString("latin1");
    const replies: SimReply[] = [];
    for (let reply = this.#next(); reply !== null; reply = this.#next()) replies.push(reply);
    return replies;
  }

  #next(): SimReply | null {
    const lineEnd = this.#rest.indexOf("\r\n");
    if (lineEnd < 0) return null;
    const line = this.#rest.slice(1, lineEnd);
    const mark = this.#rest[0];
    if (mark === "$") return this.#bulk(Number(line), lineEnd + 2);
    this.#rest = this.#rest.slice(lineEnd + 2);
    if (mark === "+") return { kind: "text", text: line };
    if (mark === "-") return { kind: "error", text: line };
    if (mark === ":") return { kind: "integer", value: Number(line) };
    throw new Error(`a reply begins with ${JSON.stringify(mark + line)}`);
  }

  #bulk(length: number, start: number): SimReply | null {
    if (length < 0) {
      this.#rest = this.#rest.slice(start);
      return { kind: "bulk", text: null };
    }
    if (this.#rest.length < start + length + 2) return null;
    const text = this.#rest.slice(start, start + length);
    this.#rest = this.#rest.slice(start + length + 2);
    return { kind: "bulk", text };
  }
}
