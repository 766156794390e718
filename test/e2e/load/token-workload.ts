/** APPEND of tokens that are never repeated: shows every lost, doubled or overtaken write by itself. */
import { RespError, type RespClient } from "../harness/resp-client.ts";
import { outcomeOf, settled, type Outcome } from "./outcome.ts";
import { OutcomeCounts, type Workload } from "./workload.ts";

export class TokenWorkload implements Workload {
  readonly #key: string;
  readonly #counts = new OutcomeCounts();
  /** By token: tokens are 0, 1, 2 ... */
  readonly #outcomes: Outcome[] = [];

  constructor(key: string) {
    this.#key = key;
  }

  async step(client: RespClient): Promise<readonly Outcome[]> {
    const token = this.#outcomes.length;
    const reply = await settled(client.call("APPEND", this.#key, `${token},`));
    const outcome = this.#counts.add(outcomeOf(reply));
    this.#outcomes.push(outcome);
    return [outcome];
  }

  async violations(client: RespClient): Promise<string[]> {
    const text = await client.call("GET", this.#key);
    if (text instanceof RespError) throw new Error(`GET ${this.#key}: ${text.text}`);
    const found = (typeof text === "string" ? text : "").split(",").slice(0, -1).map(Number);
    const broken: string[] = [];
    for (const [position, token] of found.entries()) {
      const before = found[position - 1] ?? -1;
      if (token <= before) broken.push(`${this.#key}: token ${token} stands behind ${before}`);
    }
    const present = new Set(found);
    for (const [token, outcome] of this.#outcomes.entries()) {
      const isThere = present.delete(token);
      if (outcome === "acknowledged" && !isThere) broken.push(`${this.#key}: lost token ${token}`);
      if (outcome === "refused" && isThere) {
        broken.push(`${this.#key}: token ${token} is there, but was refused`);
      }
    }
    for (const token of present) broken.push(`${this.#key}: nobody wrote token ${token}`);
    return broken;
  }

  count(outcome: Outcome): number {
    return this.#counts.of(outcome);
  }
}
