/**
 * One record as a line of JSON, the only form there is: what is hashed, stored, sent and verified are the same bytes.
 *
 *   {"v":1,"seq":7,"ts":"...", ... ,"alg":"sha256","prev":"<64 hex>","hash":"<64 hex>"}\n
 *   |<------------------------ body, which is hashed ------------->||<- 75 bytes ->|
 *
 * `prev` is the hash of the record before, so the hash covers it. Fields always stand in the same order and are always
 * there, null where they say nothing: readers need no special cases, and a field can not be left out to change a meaning.
 */
import { Buffer } from "node:buffer";
import type { AuditCategory, AuditSeverity } from "./audit-trail.ts";
import { timestampText } from "./clock.ts";
import { jsonText } from "./readable-text.ts";

export const RECORD_FORMAT_VERSION = 1;

/** Before the first record there is none to be hashed. */
export const NO_HASH: string = "0".repeat(64);

/** Begins a chain of records: at the first start, or anew when what is there can not be gone on with. */
export const CHAIN_STARTED = "audit.chain.started";

export interface RecordClient {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly name: string;
  readonly isTls: boolean;
  readonly certificateFingerprint: string | null;
  readonly certificateSerial: string | null;
  readonly certificateSubject: string | null;
}

/** An event with its place in the trail; all texts are readable and capped. */
export interface AuditRecord {
  readonly sequence: number;
  readonly timestampNanoseconds: bigint;
  /** Random, 16 hex digits: together with the sequence it names a record for good. */
  readonly chain: string;
  readonly nodeId: string;
  readonly nodeName: string;
  readonly clusterId: string;
  readonly category: AuditCategory;
  readonly severity: AuditSeverity;
  readonly action: string;
  readonly outcome: "success" | "failure";
  readonly user: string | null;
  readonly method: string | null;
  readonly client: RecordClient | null;
  readonly command: string | null;
  readonly keys: readonly string[] | null;
  /** Keys of the command that are not in `keys`. */
  readonly moreKeys: number;
  readonly reason: string | null;
  readonly index: number | null;
  readonly term: number | null;
  readonly before: string | null;
  readonly after: string | null;
  /** Of how many equal events this record speaks. */
  readonly count: number;
}

export type HashAlgorithm = "sha256" | "hmac-sha256";

/** The part of the line that is hashed. */
export function recordBody(record: AuditRecord, algorithm: HashAlgorithm, prev: string): string {
  const { sequence } = record;
  return (
    `{"v":${RECORD_FORMAT_VERSION},"seq":${sequence},"ts":"${timestampText(record.timestampNanoseconds)}"` +
    `,"id":${jsonText(recordId(record))},"chain":${jsonText(record.chain)}` +
    `,"node":{"id":${jsonText(record.nodeId)},"name":${jsonText(record.nodeName)}}` +
    `,"cluster":${jsonText(record.clusterId)},"category":"${record.category}","severity":"${record.severity}"` +
    `,"action":${jsonText(record.action)},"outcome":"${record.outcome}","user":${optional(record.user)}` +
    `,"method":${optional(record.method)},"client":${clientJson(record.client)}` +
    `,"command":${optional(record.command)},"db":0,"keys":${keysJson(record.keys)},"more_keys":${record.moreKeys}` +
    `,"reason":${optional(record.reason)},"index":${record.index},"term":${record.term}` +
    `,"before":${optional(record.before)},"after":${optional(record.after)},"count":${record.count}` +
    `,"alg":"${algorithm}","prev":"${prev}"`
  );
}

export function recordId(record: Pick<AuditRecord, "chain" | "sequence">): string {
  return `${record.chain}-${record.sequence}`;
}

function optional(text: string | null): string {
  return text === null ? "null" : jsonText(text);
}

function keysJson(keys: readonly string[] | null): string {
  return keys === null ? "null" : `[${keys.map(jsonText).join(",")}]`;
}

function clientJson(client: RecordClient | null): string {
  if (client === null) return "null";
  return (
    `{"id":${client.id},"addr":${jsonText(client.address)},"laddr":${jsonText(client.localAddress)}` +
    `,"name":${jsonText(client.name)},"tls":${client.isTls},"cert":${optional(client.certificateFingerprint)}` +
    `,"cert_serial":${optional(client.certificateSerial)},"cert_subject":${optional(client.certificateSubject)}}`
  );
}

const SUFFIX_HEAD = ',"hash":"';
const SUFFIX_TAIL = '"}';
const HASH_LENGTH = 64;
/** What stands behind the body, without the line's end. */
const SUFFIX_LENGTH = SUFFIX_HEAD.length + HASH_LENGTH + SUFFIX_TAIL.length;

/** The whole line with its end. */
export function recordLine(body: string, hash: string): Buffer {
  return Buffer.from(`${body}${SUFFIX_HEAD}${hash}${SUFFIX_TAIL}\n`);
}

export interface SplitLine {
  readonly body: Buffer;
  readonly hash: string;
}

/** Takes a line (without its end) apart; null when it does not end as a record does. */
export function splitLine(line: Buffer): SplitLine | null {
  const at = line.length - SUFFIX_LENGTH;
  if (at <= 0) return null;
  const suffix = line.toString("latin1", at);
  if (!/^,"hash":"[0-9a-f]{64}"\}$/.test(suffix)) return null;
  const hash = suffix.slice(SUFFIX_HEAD.length, SUFFIX_HEAD.length + HASH_LENGTH);
  return { body: line.subarray(0, at), hash };
}

/** The sequence of a line from its first bytes alone; null when it is no record. */
export function sequenceOfLine(line: Buffer): number | null {
  const match = /^\{"v":\d{1,4},"seq":(\d{1,16}),/.exec(line.toString("latin1", 0, 64));
  return match === null ? null : Number(match[1]);
}

/** What the chain is checked by. */
export interface ChainFields {
  readonly sequence: number;
  readonly chain: string;
  readonly nodeId: string;
  readonly action: string;
  readonly algorithm: string;
  readonly prev: string;
}

/** Reads a line (without its end); null when it is no record of this version. */
export function readChainFields(line: Buffer): ChainFields | null {
  let value: unknown;
  try {
    value = JSON.parse(line.toString("utf8"));
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const fields = value as Record<string, unknown>;
  const { v, seq, chain, action, alg, prev } = fields;
  const nodeId = (fields["node"] as { readonly id?: unknown } | null | undefined)?.id;
  if (v !== RECORD_FORMAT_VERSION || !Number.isSafeInteger(seq)) return null;
  const texts = [chain, nodeId, action, alg, prev];
  if (!texts.every((text) => typeof text === "string")) return null;
  return {
    sequence: seq as number,
    chain: chain as string,
    nodeId: nodeId as string,
    action: action as string,
    algorithm: alg as string,
    prev: prev as string,
  };
}
