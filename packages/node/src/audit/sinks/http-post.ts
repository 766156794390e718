/** One POST of JSON with everything that a sink wants of it: a deadline, no redirects, an answer of bounded size. */
import { AuditError } from "../errors.ts";
import { BatchRefused } from "./sink.ts";

export interface HttpTarget {
  readonly url: string;
  /** Value of the Authorization header; empty = none. */
  readonly authorization: string;
  readonly timeoutMs: number;
}

/** Answers with which a receiver says that this batch will never be right. Everything else is tried again. */
const REFUSALS: ReadonlySet<number> = new Set([400, 413, 422]);
const ANSWER_BYTES_MAX: number = 64 * 1024;

/**
 * Checks a target before anything depends on it. Credentials belong in the header: those in an URL end up in logs.
 * @throws AuditError badSink
 */
export function checkTarget(setting: string, target: HttpTarget): void {
  const url = URL.parse(target.url);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new AuditError("badSink", `${setting} is an http or https URL`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new AuditError(
      "badSink",
      `${setting} must not hold a password; there is a setting for it`,
    );
  }
  // fetch obeys this variable; a trail that anybody in between can read and answer for is none.
  if (url.protocol === "https:" && process.env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0") {
    throw new AuditError(
      "badSink",
      `${setting} needs certificates to be checked, but NODE_TLS_REJECT_UNAUTHORIZED is 0`,
    );
  }
}

/** Resolves with the beginning of the answer. @throws BatchRefused, AuditError delivery, or what the network says */
export async function postJson(target: HttpTarget, body: string | Buffer): Promise<string> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (target.authorization !== "") headers["authorization"] = target.authorization;
  let response: Response;
  try {
    response = await fetch(target.url, {
      method: "POST",
      headers,
      body: typeof body === "string" ? body : new Uint8Array(body),
      // A redirect could carry records and credentials to another host.
      redirect: "error",
      signal: AbortSignal.timeout(target.timeoutMs),
    });
  } catch (error) {
    throw new AuditError("delivery", reasonOf(error), { cause: error });
  }
  const answer = await readAnswer(response);
  if (response.ok) return answer;
  const text = `the receiver answers ${response.status}`;
  if (REFUSALS.has(response.status)) throw new BatchRefused(text);
  throw new AuditError("delivery", text);
}

async function readAnswer(response: Response): Promise<string> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body) {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw new AuditError("delivery", reasonOf(error), { cause: error });
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** fetch says "fetch failed" and has the reason behind it. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
