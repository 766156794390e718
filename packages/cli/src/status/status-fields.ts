/** Fields of a map that came from another machine and maybe from another version. */
import type { RespValue } from "../connection/resp-value.ts";

export type Fields = ReadonlyMap<string, RespValue>;

/** A map arrives in RESP2 as an array of names and values in turn; null for anything else. */
export function readFields(value: RespValue): Fields | null {
  if (!Array.isArray(value) || value.length % 2 !== 0) return null;
  const fields = new Map<string, RespValue>();
  const list = value as readonly RespValue[];
  for (let at = 0; at < list.length; at += 2) {
    const name = list[at];
    if (typeof name !== "string") return null;
    fields.set(name, list[at + 1] ?? null);
  }
  return fields;
}

export function text(fields: Fields, name: string): string | null {
  const value = fields.get(name);
  return typeof value === "string" && value !== "" ? value : null;
}

export function number(fields: Fields, name: string): number | null {
  const value = fields.get(name);
  if (typeof value === "number") return value;
  return typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : null;
}

export function truth(fields: Fields, name: string): boolean {
  const value = fields.get(name);
  // RESP2 has no booleans: they come as 1 and 0.
  return value === 1;
}
