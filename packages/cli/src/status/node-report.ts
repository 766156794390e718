/** What FERRITE.STATUS says, read with care: it comes from another machine and maybe from another version. */
import type { RespValue } from "../connection/resp-value.ts";
import { decodeCertificates, type CertificateReport } from "./certificate-report.ts";
import { number, readFields, text, truth } from "./status-fields.ts";

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
  readonly certificates: readonly CertificateReport[];
  /** How its data is kept: "plain", "encrypted", or how far that is. Null: it does not say. */
  readonly atRest: string | null;
}

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
    certificates: decodeCertificates(fields.get("certificates") ?? null),
    atRest: text(fields, "at_rest"),
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
