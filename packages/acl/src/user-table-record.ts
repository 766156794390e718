/** Reads the plain data that a table was recorded as, and believes none of it. */
import type { KnownCommands, UserTableRecord } from "./api.ts";
import { AclError } from "./errors.ts";

/** @throws AclError MALFORMED_USERS */
export function parseUserTableRecord(record: unknown): UserTableRecord {
  if (!isObject(record) || record["format"] !== 1) throw malformed("is not of a known format");
  const { revision, nextId, users } = record;
  if (!isCount(revision) || !isCount(nextId) || !Array.isArray(users)) {
    throw malformed("has no revision, next id or users");
  }
  const ids = new Set<number>();
  const rows = users.map((row: unknown): readonly [number, string] => {
    if (!Array.isArray(row)) throw malformed("has a user without id and line");
    const [id, line] = row as readonly unknown[];
    if (!isCount(id) || typeof line !== "string") throw malformed("has a user without id and line");
    if (id >= nextId || ids.has(id)) throw malformed("gives an id to two users");
    ids.add(id);
    return [id, line];
  });
  const read = { format: 1, revision, nextId, users: rows } as const;
  return record["commands"] === undefined
    ? read
    : { ...read, commands: parseKnownCommands(record["commands"]) };
}

function parseKnownCommands(commands: unknown): KnownCommands {
  if (!isObject(commands) || !Array.isArray(commands["known"])) throw malformed("has no commands");
  const policy = commands["policy"];
  if (policy !== "allow" && policy !== "deny") throw malformed("has an unknown policy");
  const known = commands["known"].filter((name: unknown) => typeof name === "string");
  if (known.length !== commands["known"].length) throw malformed("has a command without name");
  return { policy, known };
}

function malformed(what: string): AclError {
  return new AclError("MALFORMED_USERS", `the record of users ${what}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
