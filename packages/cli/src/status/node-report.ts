/** What FERRITE.STATUS says, read with care: it comes from another machine and maybe from another version. */
import type { RespValue } from "../connection/resp-value.ts";

export interface MemberReport {
  readonly id: string;
  readonly name: string;
  readonly clientAddress: string;
  readonly peerAddress: string;
  readonly learner: boolean;
  readonly connected: boolean;
  /** Known on the leader only. */
  readonly matchIndex: number | null;
}

export interface NodeReport {
  readonly nodeId: string;
  readonly nodeName: string;
  readonly clusterId: string;
  readonly role: string;
  readonly term: number;
  readonly leaderId: string | null;
  /** The error that a write through it would get now, or null. */
  readonly writeRefusal: string | null;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly members: readonly MemberReport[];
}

type Fields = ReadonlyMap<string, RespValue>;

/** Null when what every version says is missing. */
export function decodeStatus(value: RespValue): NodeReport | null {
  const fields = readFields(value);
  const members = fields?.get("members");
  if (fields === null || !Array.isArray(members)) return null;
  const nodeId = text(fields, "id");
  const clusterId = text(fields, "cluster_id");
  const role = text(fields, "role");
  if (nodeId === null || clusterId === null || role === null) return null;
  return {
    nodeId,
    nodeName: text(fields, "name") ?? nodeId,
    clusterId,
    role,
    term: number(fields, "term") ?? 0,
    leaderId: text(fields, "leader_id"),
    writeRefusal: text(fields, "write_refusal"),
    commitIndex: number(fields, "commit_index") ?? 0,
    appliedIndex: number(fields, "applied_index") ?? 0,
    members: (members as readonly RespValue[])
      .map(decodeMember)
      .filter((member) => member !== null),
  };
}

/** The address for clients that the node that answered announces of itself; empty when it does not say. */
export function ownAddress(report: NodeReport): string {
  return report.members.find((member) => member.id === report.nodeId)?.clientAddress ?? "";
}

function decodeMember(value: RespValue): MemberReport | null {
  const fields = readFields(value);
  const id = fields === null ? null : text(fields, "id");
  if (fields === null || id === null) return null;
  return {
    id,
    name: text(fields, "name") ?? id,
    clientAddress: text(fields, "client_address") ?? "",
    peerAddress: text(fields, "peer_address") ?? "",
    learner: text(fields, "role") === "learner",
    connected: truth(fields, "connected"),
    matchIndex: number(fields, "match_index"),
  };
}

/** A map arrives in RESP2 as an array of names and values in turn. */
function readFields(value: RespValue): Fields | null {
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

function text(fields: Fields, name: string): string | null {
  const value = fields.get(name);
  return typeof value === "string" && value !== "" ? value : null;
}

function number(fields: Fields, name: string): number | null {
  const value = fields.get(name);
  if (typeof value === "number") return value;
  return typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : null;
}

function truth(fields: Fields, name: string): boolean {
  const value = fields.get(name);
  // RESP2 has no booleans: they come as 1 and 0.
  return value === 1;
}
