/** What simulated clients did, as the checkers take it, and more: which promise each read was made under. */
import type { Operation } from "../../checkers/history.ts";
import type { CounterInput, CounterOutput } from "../../checkers/counter.ts";
import type {
  AppendInput,
  AppendOutput,
  RegisterInput,
  RegisterOutput,
} from "../../checkers/models.ts";

/** `local` promises nothing but a state that was; `session` what a connection has seen; the others are linearizable. */
export type ReadMode = "local" | "session" | "linearizable" | "lease";

type Open<Input, Output> = {
  -readonly [Field in keyof Operation<Input, Output>]: Operation<Input, Output>[Field];
};

/** An operation on its way: its end, outcome and answer are filled in when they are known. */
export interface RecordedOperation<Input, Output> extends Open<Input, Output> {
  readonly mode: ReadMode;
  /** The client has not waited for an answer. */
  isAbandoned: boolean;
}

export type ListOperation = RecordedOperation<AppendInput, AppendOutput>;
export type RegisterOperation = RecordedOperation<RegisterInput, RegisterOutput>;
export type CounterOperation = RecordedOperation<CounterInput, CounterOutput>;

/** In the order in which requests were sent. */
export class ClientRecord {
  readonly lists: ListOperation[] = [];
  readonly registers: RegisterOperation[] = [];
  readonly counters: CounterOperation[] = [];
  /** Verdicts that the bound of a search left open. */
  undecided = 0;

  get reads(): number {
    return this.#inputs().filter(({ kind }) => kind === "read" || kind === "get").length;
  }

  get writes(): number {
    return this.#inputs().length - this.reads;
  }

  #inputs(): { readonly kind: string }[] {
    return [...this.lists, ...this.registers, ...this.counters].map(({ input }) => input);
  }
}

export function isStrong(mode: ReadMode): boolean {
  return mode === "linearizable" || mode === "lease";
}
