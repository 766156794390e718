/** Pipelines of SETs, each of a key that is written once. */
import type { RespClient } from "../harness/resp-client.ts";
import { outcomeOf, settled, type Outcome } from "./outcome.ts";
import { OutcomeCounts, type Workload } from "./workload.ts";

const DEPTH = 16;
const KEYS_PER_READ = 500;

export class PipelineWorkload implements Workload {
  readonly #prefix: string;
  readonly #counts = new OutcomeCounts();
  /** By number of the key; the value is the number. */
  readonly #outcomes: Outcome[] = [];

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  async step(client: RespClient): Promise<readonly Outcome[]> {
    const first = this.#outcomes.length;
    const commands = Array.from({ length: DEPTH }, (_, position) => [
      "SET",
      `${this.#prefix}:${first + position}`,
      String(first + position),
    ]);
    const replies = await Promise.all(client.pipeline(commands).map(settled));
    const outcomes = replies.map((reply) => this.#counts.add(outcomeOf(reply)));
    this.#outcomes.push(...outcomes);
    return outcomes;
  }

  async violations(client: RespClient): Promise<string[]> {
    const broken: string[] = [];
    for (let first = 0; first < this.#outcomes.length; first += KEYS_PER_READ) {
      const outcomes = this.#outcomes.slice(first, first + KEYS_PER_READ);
      const keys = outcomes.map((_, position) => `${this.#prefix}:${first + position}`);
      const values = (await client.call("MGET", ...keys)) as readonly (string | null)[];
      for (const [position, outcome] of outcomes.entries()) {
        const value = values[position] ?? null;
        const right = value === String(first + position);
        if (value !== null && !right) broken.push(`${keys[position]}: holds ${value}`);
        if (outcome === "acknowledged" && value === null) broken.push(`${keys[position]}: lost`);
        if (outcome === "refused" && value !== null) {
          broken.push(`${keys[position]}: is there, but was refused`);
        }
      }
    }
    return broken;
  }

  count(outcome: Outcome): number {
    return this.#counts.of(outcome);
  }
}
