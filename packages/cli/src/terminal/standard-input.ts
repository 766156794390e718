/** Standard input, of which a secret can be read without showing it. */
import { CliError } from "../errors.ts";
import type { InputPort } from "../world.ts";

/** What is used of `process.stdin`. */
export interface InputStream extends AsyncIterable<Buffer | string> {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
  on(event: "data", listener: (bytes: Buffer) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  off(event: "data", listener: (bytes: Buffer) => void): unknown;
  off(event: "end", listener: () => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

const CONTROL_C = 0x03;
const CONTROL_D = 0x04;
const BACKSPACE = 0x08;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Empties the line. */
const CONTROL_U = 0x15;
const DELETE = 0x7f;

/** Prompts go to `output`, which is standard error: standard output is for results. */
export function standardInput(
  input: InputStream,
  output: { write(text: string): unknown },
): InputPort {
  return {
    isTerminal: input.isTTY === true,
    async readAll() {
      const pieces: Buffer[] = [];
      for await (const piece of input) pieces.push(Buffer.from(piece as Buffer));
      return Buffer.concat(pieces);
    },
    readHidden: (prompt) => readHidden(input, output, prompt),
  };
}

function readHidden(
  input: InputStream,
  output: { write(text: string): unknown },
  prompt: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const typed = new TypedLine();
    const finish = (act: () => void): void => {
      input.off("data", take);
      input.off("end", interrupted);
      input.setRawMode?.(false);
      input.pause();
      output.write("\n");
      act();
    };
    const interrupted = (): void => {
      finish(() => reject(new CliError("interrupted", "interrupted")));
    };
    const take = (bytes: Buffer): void => {
      const end = typed.type(bytes);
      if (end === "interrupted") interrupted();
      else if (end === "line") finish(() => resolve(typed.text));
    };
    output.write(prompt);
    input.setRawMode?.(true);
    input.on("data", take);
    input.on("end", interrupted);
    input.resume();
  });
}

/** A line as it is typed: bytes, until it has ended. */
class TypedLine {
  #bytes: number[] = [];

  get text(): string {
    return Buffer.from(this.#bytes).toString("utf8");
  }

  /** What the keys did: nothing yet, the line is complete, or the person broke off. Keys behind that are dropped. */
  type(keys: Uint8Array): "more" | "line" | "interrupted" {
    for (const key of keys) {
      if (key === CONTROL_C) return "interrupted";
      if (key === CARRIAGE_RETURN || key === LINE_FEED) return "line";
      if (key === CONTROL_D) return this.#bytes.length === 0 ? "interrupted" : "line";
      if (key === BACKSPACE || key === DELETE) this.#rubOut();
      else if (key === CONTROL_U) this.#bytes = [];
      else this.#bytes.push(key);
    }
    return "more";
  }

  /** A character of UTF-8: its continuation bytes and what they continue. */
  #rubOut(): void {
    let last = this.#bytes.pop();
    while (last !== undefined && (last & 0xc0) === 0x80) last = this.#bytes.pop();
  }
}
