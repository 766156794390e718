import type { PeerPayload } from "@ferrite/node/simulation";
import { Violation } from "./observer.ts";

/** A refused batch is sent again after a pause of 20 ms: so often in a row means that it will be refused for ever. */
const REFUSALS_MAX = 150;

/** What a leader refuses for now it takes sooner or later, or another one leads. */
export class RefusalsEnd {
  readonly #counts: Map<string, number> = new Map();

  delivered(payload: PeerPayload, from: string, to: string): void {
    if (payload.kind !== "forwardRefused") return;
    if (payload.reason !== "busy" && payload.reason !== "gap") return;
    const batch = `${from} ${to} ${payload.incarnation}.${payload.sequence}`;
    const count = (this.#counts.get(batch) ?? 0) + 1;
    this.#counts.set(batch, count);
    if (count > REFUSALS_MAX) {
      throw new Violation(
        "refusals end",
        `batch ${batch} was refused ${count} times, last as "${payload.reason}"`,
      );
    }
  }
}
