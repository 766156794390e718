/** A fault that is made again and again between its beginning and its end. */
import type { AimedFault } from "./fault.ts";

export class Repetition {
  readonly #step: () => Promise<void>;
  #stopping = false;
  #ended: Promise<void> = Promise.resolve();

  /** `step` is carried out again as soon as it is over; it must take its time. */
  static of(step: () => Promise<void>): Pick<AimedFault, "begin" | "end"> {
    const repetition = new Repetition(step);
    return { begin: () => repetition.#begin(), end: () => repetition.#end() };
  }

  private constructor(step: () => Promise<void>) {
    this.#step = step;
  }

  #begin(): Promise<void> {
    this.#ended = this.#run();
    return Promise.resolve();
  }

  /** Lets the last step come to its end. */
  async #end(): Promise<void> {
    this.#stopping = true;
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) await this.#step();
  }
}
