/** INCR on a key of its own: a lost or doubled write shows in the very next reply. */
import { RespError, type RespClient } from "../harness/resp-client.ts";
import { outcomeOf, settled, type Outcome } from "./outcome.ts";
import { OutcomeCounts, type Workload } from "./workload.ts";

export class CounterWorkload implements Workload {
  readonly #key: string;
  readonly #counts = new OutcomeCounts();
  readonly #violations: string[] = [];
  /** The newest value that a reply has told. */
  #known = 0;
  /** Writes since then that may have been applied. */
  #unknownSince = 0;

  constructor(key: string) {
    this.#key = key;
  }

  async step(client: RespClient): Promise<readonly Outcome[]> {
    const reply = await settled(client.call("INCR", this.#key));
    const outcome = this.#counts.add(outcomeOf(reply));
    if (outcome === "unknown") this.#unknownSince++;
    if (outcome === "acknowledged") {
      this.#check(Number(reply), "INCR replied", 1);
      this.#known = Number(reply);
      this.#unknownSince = 0;
    }
    return [outcome];
  }

  async violations(client: RespClient): Promise<string[]> {
    const reply = await client.call("GET", this.#key);
    if (reply instanceof RespError) throw new Error(`GET ${this.#key}: ${reply.text}`);
    const value = Number(reply ?? 0);
    this.#check(value, "GET replied", 0);
    return this.#violations;
  }

  count(outcome: Outcome): number {
    return this.#counts.of(outcome);
  }

  #check(value: number, what: string, more: number): void {
    const least = this.#known + more;
    const most = least + this.#unknownSince;
    if (value >= least && value <= most) return;
    this.#violations.push(`${this.#key}: ${what} ${value}, expected ${least} to ${most}`);
  }
}
