/** Sends broken requests to a server and looks at one that behaves all the while. */
import { RawClient } from "../e2e/harness/raw-client.ts";
import { RespClient } from "../e2e/harness/resp-client.ts";

/** How long a broken request may keep a well-behaved client waiting. */
const ANSWER_TIMEOUT_MS = 10_000;

/** A well-behaved client: it counts, and knows what the answer has to be. */
export class Witness {
  readonly #client: RespClient;
  #count = 0;

  static async connect(port: number): Promise<Witness> {
    return new Witness(await RespClient.connect(port));
  }

  private constructor(client: RespClient) {
    this.#client = client;
  }

  /** Throws when an answer is wrong, late, or the connection is gone. */
  async check(): Promise<void> {
    this.#count++;
    const key = "witness:counter";
    const late = new Promise<never>((_resolve, reject) => {
      setTimeout(() => reject(new Error("the witness got no answer")), ANSWER_TIMEOUT_MS).unref();
    });
    const answers = Promise.all(
      this.#client.pipeline([
        ["INCR", key],
        ["ECHO", `round ${this.#count}`],
        ["GET", key],
      ]),
    );
    const expected = JSON.stringify([this.#count, `round ${this.#count}`, String(this.#count)]);
    const actual = JSON.stringify(await Promise.race([answers, late]));
    if (actual !== expected) throw new Error(`the witness heard ${actual}, not ${expected}`);
  }

  close(): void {
    this.#client.close();
  }
}

export interface Attack {
  /** Of each connection, what is written, piece by piece. */
  readonly connections: readonly (readonly Buffer[])[];
}

/** All connections at once, pieces of all in turn. Resolves when the witness was answered after them. */
export async function attack(
  port: number,
  witness: Witness,
  { connections }: Attack,
): Promise<{ readonly answered: number; readonly closed: number }> {
  const clients = await Promise.all(connections.map(() => RawClient.connect(port)));
  const longest = Math.max(...connections.map((pieces) => pieces.length));
  for (let turn = 0; turn < longest; turn++) {
    for (const [at, client] of clients.entries()) {
      const piece = connections[at][turn];
      if (piece !== undefined) client.push(piece);
    }
    // So that pieces arrive as pieces.
    if (turn % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await witness.check();
  const answered = clients.filter((client) => client.receivedBytes > 0).length;
  const closed = clients.filter((client) => client.isClosed).length;
  for (const client of clients) client.close();
  await witness.check();
  return { answered, closed };
}
