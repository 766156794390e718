/** Posts batches of records to an OpenTelemetry collector. */
import type { SealedRecord } from "../chain.ts";
import { checkTarget, postJson, type HttpTarget } from "./http-post.ts";
import { otlpRequest } from "./otlp-message.ts";
import type { Receiver } from "./sink.ts";

export class OtlpSink implements Receiver {
  readonly name = "otlp";
  readonly #target: HttpTarget;
  readonly #serviceVersion: string;

  /** @throws AuditError badSink */
  constructor(target: HttpTarget, serviceVersion: string) {
    checkTarget("audit-otlp-url", target);
    this.#target = target;
    this.#serviceVersion = serviceVersion;
  }

  /** A partly successful batch must not be sent again, says OTLP: what was rejected in it is lost, and counted. */
  async deliver(batch: readonly SealedRecord[]): Promise<number> {
    const answer = await postJson(this.#target, otlpRequest(batch, this.#serviceVersion));
    return Math.min(rejectedRecords(answer), batch.length);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** `{"partialSuccess":{"rejectedLogRecords":"1"}}`: an answer of 200 can hold a refusal. */
function rejectedRecords(answer: string): number {
  if (!answer.includes("rejectedLogRecords")) return 0;
  let value: unknown;
  try {
    value = JSON.parse(answer);
  } catch {
    // Said with status 200: the records were taken, whatever else the collector had to say.
    return 0;
  }
  const partial = (
    value as { readonly partialSuccess?: { readonly rejectedLogRecords?: unknown } } | null
  )?.partialSuccess;
  const count = Number(partial?.rejectedLogRecords ?? 0);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}
