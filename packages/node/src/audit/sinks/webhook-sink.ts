/** Posts batches of records as `{"records":[...]}`, each exactly as it stands in the file. */
import type { SealedRecord } from "../chain.ts";
import { checkTarget, postJson, type HttpTarget } from "./http-post.ts";
import type { Receiver } from "./sink.ts";

export class WebhookSink implements Receiver {
  readonly name = "webhook";
  readonly #target: HttpTarget;

  /** @throws AuditError badSink */
  constructor(target: HttpTarget) {
    checkTarget("audit-webhook-url", target);
    this.#target = target;
  }

  async deliver(batch: readonly SealedRecord[]): Promise<number> {
    const lines = batch.map(({ line }) => line.toString("utf8", 0, line.length - 1));
    await postJson(this.#target, `{"records":[${lines.join(",")}]}`);
    return 0;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
