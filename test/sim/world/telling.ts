/** Everything that happens in a simulation, as a hash, and in words for somebody who reads them. */
import type { Member, PeerPayload } from "@ferrite/node/simulation";
import { describePayload } from "./describe-payload.ts";
import type { Scheduler } from "./scheduler.ts";
import { TraceHash } from "./trace-hash.ts";

export class Telling {
  readonly #scheduler: Scheduler;
  readonly #onTrace: ((line: string) => void) | undefined;
  readonly #trace: TraceHash = new TraceHash();

  constructor(scheduler: Scheduler, onTrace: ((line: string) => void) | undefined) {
    this.#scheduler = scheduler;
    this.#onTrace = onTrace;
  }

  line(line: string): void {
    this.#trace.line(this.#scheduler.nowMs, line);
    this.#tell(line);
  }

  delivered(from: string, to: string, payload: PeerPayload, bytes: Buffer): void {
    const sender = parseInt(from.slice(-2), 16);
    const receiver = parseInt(to.slice(-2), 16);
    this.#trace.bytes(this.#scheduler.nowMs, sender * 256 + receiver, bytes);
    if (this.#onTrace !== undefined)
      this.#tell(`${sender}>${receiver} ${describePayload(payload)}`);
  }

  applied(member: Member, index: number, sum: number): void {
    this.#trace.event(this.#scheduler.nowMs, index, sum);
    if (this.#onTrace !== undefined) this.#tell(`${member.name} applied ${index} ${sum}`);
  }

  digest(): string {
    return this.#trace.digest();
  }

  #tell(line: string): void {
    this.#onTrace?.(`${this.#scheduler.nowMs.toFixed(3)} ${line}`);
  }
}
