/** A user as ACL GETUSER describes it, read into named parts. Hashes of passwords are counted and left behind. */
import type { RespValue } from "../connection/resp-value.ts";

export interface SelectorReport {
  readonly commands: string;
  readonly keys: string;
  readonly channels: string;
}

export interface UserReport extends SelectorReport {
  readonly name: string;
  readonly enabled: boolean;
  /** Anybody may log in as it. */
  readonly needsNoPassword: boolean;
  readonly passwordCount: number;
  readonly selectors: readonly SelectorReport[];
  /** ISO 8601, UTC; null: never. */
  readonly expiresAt: string | null;
  /** Connections at once on one node; null: no limit. */
  readonly maxClients: number | null;
  /** Commands per second on one node; null: no limit. */
  readonly opsPerSec: number | null;
}

/** Null when the reply is of another form. */
export function decodeUser(name: string, reply: RespValue): UserReport | null {
  const fields = fieldsOf(reply);
  if (fields === null) return null;
  const flags = textsOf(fields.get("flags"));
  const passwords = textsOf(fields.get("passwords"));
  const own = decodeSelector(fields);
  const selectors = decodeSelectors(fields.get("selectors"));
  if (flags === null || passwords === null || own === null || selectors === null) return null;
  const expireAt = numberOf(fields.get("expire-at"));
  return {
    name,
    enabled: flags.includes("on"),
    needsNoPassword: flags.includes("nopass"),
    passwordCount: passwords.length,
    ...own,
    selectors,
    expiresAt: expireAt === null ? null : new Date(expireAt * 1000).toISOString(),
    maxClients: numberOf(fields.get("max-clients")),
    opsPerSec: numberOf(fields.get("ops-per-sec")),
  };
}

/** A map as RESP2 sends it: names and values alternately. */
export function fieldsOf(reply: RespValue | undefined): ReadonlyMap<string, RespValue> | null {
  if (!isList(reply) || reply.length % 2 !== 0) return null;
  const fields = new Map<string, RespValue>();
  for (let index = 0; index < reply.length; index += 2) {
    const [name, value = null] = reply.slice(index, index + 2);
    if (typeof name !== "string") return null;
    fields.set(name, value);
  }
  return fields;
}

function decodeSelectors(reply: RespValue | undefined): readonly SelectorReport[] | null {
  if (!isList(reply)) return null;
  const selectors = reply.map((selector) => {
    const fields = fieldsOf(selector);
    return fields === null ? null : decodeSelector(fields);
  });
  return selectors.includes(null) ? null : (selectors as SelectorReport[]);
}

function decodeSelector(fields: ReadonlyMap<string, RespValue>): SelectorReport | null {
  const commands = fields.get("commands");
  const keys = fields.get("keys");
  const channels = fields.get("channels");
  if (typeof commands !== "string") return null;
  if (typeof keys !== "string" || typeof channels !== "string") return null;
  return { commands, keys, channels };
}

function textsOf(reply: RespValue | undefined): readonly string[] | null {
  if (!isList(reply) || !reply.every((item) => typeof item === "string")) return null;
  return reply;
}

function numberOf(reply: RespValue | undefined): number | null {
  return typeof reply === "number" ? reply : null;
}

function isList(reply: RespValue | undefined): reply is readonly RespValue[] {
  return Array.isArray(reply);
}
