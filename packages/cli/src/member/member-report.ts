/** What FERRITE.MEMBER LIST says, read with care: it comes from another machine and maybe from another version. */
import { CliError } from "../errors.ts";
import type { NodeSession } from "../connection/node-session.ts";
import type { RespValue } from "../connection/resp-value.ts";
import { number, readFields, text, truth, type Fields } from "../status/status-fields.ts";

export interface MemberReport {
  readonly name: string;
  readonly id: string;
  /** "voter", "learner", "joining" or "leaving". */
  readonly role: string;
  readonly leader: boolean;
  /** Seen from the node that answered. */
  readonly connected: boolean;
  /** Known when the leader was asked. */
  readonly matchIndex: number | null;
  readonly peerAddress: string | null;
  readonly clientAddress: string | null;
  readonly tlsAddress: string | null;
  readonly priority: number | null;
  readonly version: string | null;
  readonly featureLevel: number | null;
}

export interface ChangeReport {
  readonly id: number;
  readonly kind: string;
  readonly name: string;
  /** The name under which a node is to join, or null. */
  readonly newcomer: string | null;
  readonly targetId: string | null;
  readonly replacedId: string | null;
  readonly phase: string;
  readonly reason: string | null;
}

export interface AlarmReport {
  readonly kind: string;
  readonly nodeId: string | null;
  readonly text: string;
}

export interface MembershipReport {
  readonly featureLevel: number | null;
  /** Where the log ends, as far as the node that answered knows: what a newcomer has to reach. */
  readonly goalIndex: number | null;
  readonly members: readonly MemberReport[];
  /** The change under way, or the last one. */
  readonly change: ChangeReport | null;
  readonly alarms: readonly AlarmReport[];
}

/** Asks for the members and the change under way. @throws CliError */
export async function readMembership(session: NodeSession): Promise<MembershipReport> {
  const reply = await session.askOne("FERRITE.MEMBER", "LIST");
  const report = decodeMembership(reply);
  if (report !== null) return report;
  throw new CliError(
    "unreachable",
    `${session.where}: answers in a form this version does not know`,
  );
}

/** Null when what every version says is missing. */
export function decodeMembership(value: RespValue): MembershipReport | null {
  const fields = readFields(value);
  const members = fields?.get("members");
  if (fields === null || !Array.isArray(members)) return null;
  const alarms = fields.get("alarms");
  return {
    featureLevel: number(fields, "feature_level"),
    goalIndex: number(fields, "goal_index"),
    members: known(members as readonly RespValue[], decodeMember),
    change: decodeOne(fields.get("change") ?? null, decodeChange),
    alarms: Array.isArray(alarms) ? known(alarms as readonly RespValue[], decodeAlarm) : [],
  };
}

function known<Report>(
  values: readonly RespValue[],
  decode: (fields: Fields) => Report | null,
): Report[] {
  return values.map((value) => decodeOne(value, decode)).filter((report) => report !== null);
}

function decodeOne<Report>(
  value: RespValue,
  decode: (fields: Fields) => Report | null,
): Report | null {
  const fields = readFields(value);
  return fields === null ? null : decode(fields);
}

function decodeMember(fields: Fields): MemberReport | null {
  const id = text(fields, "id");
  if (id === null) return null;
  return {
    name: text(fields, "name") ?? id,
    id,
    role: text(fields, "role") ?? "unknown",
    leader: truth(fields, "leader"),
    connected: truth(fields, "connected"),
    matchIndex: number(fields, "match_index"),
    peerAddress: text(fields, "peer_address"),
    clientAddress: text(fields, "client_address"),
    tlsAddress: text(fields, "tls_address"),
    priority: number(fields, "priority"),
    version: text(fields, "version"),
    featureLevel: number(fields, "feature_level"),
  };
}

function decodeChange(fields: Fields): ChangeReport | null {
  const id = number(fields, "id");
  const phase = text(fields, "phase");
  if (id === null || phase === null) return null;
  return {
    id,
    kind: text(fields, "kind") ?? "change",
    name: text(fields, "name") ?? "",
    newcomer: text(fields, "newcomer"),
    targetId: text(fields, "target_id"),
    replacedId: text(fields, "replaced_id"),
    phase,
    reason: text(fields, "reason"),
  };
}

function decodeAlarm(fields: Fields): AlarmReport | null {
  const kind = text(fields, "kind");
  if (kind === null) return null;
  return { kind, nodeId: text(fields, "node_id"), text: text(fields, "text") ?? "" };
}
