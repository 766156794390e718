/**
 * What the members' hashes of their states say about them (R32). The majority of the voters is right, the leader is not
 * more right than others, and a hash that did not come is never an equal one.
 */
import type { NodeId } from "@ferrite/raft";

/** A member's hash; "busy": it could not make one. */
export type StateReport = string;
export const BUSY: StateReport = "busy";

/** unknown: the member has not answered, was busy, or no majority says what is right. */
export type MemberState = "equal" | "different" | "unknown";

/**
 * equal: all members have the state of the majority. different: some have not. incomplete: those that have answered
 * agree, others have not answered. undecided: the answers differ and none has a majority.
 */
export type StateOutcome = "equal" | "different" | "incomplete" | "undecided";

export interface StateVerdict {
  readonly checkId: string;
  /** Log position whose state was compared. */
  readonly index: number;
  readonly outcome: StateOutcome;
  readonly members: readonly {
    readonly id: NodeId;
    readonly state: MemberState;
    /** Its hash, "busy", or null when it has not answered. */
    readonly report: StateReport | null;
  }[];
}

export interface StateVoters {
  readonly voters: readonly NodeId[];
  /** Compared, but not counted. */
  readonly others: readonly NodeId[];
}

/** Pure. `reports` by member. */
export function judgeStates(
  check: { readonly checkId: string; readonly index: number },
  reports: ReadonlyMap<NodeId, StateReport>,
  { voters, others }: StateVoters,
): StateVerdict {
  const right = majorityOf(voters.map((id) => reports.get(id) ?? null));
  const all = [...voters, ...others.filter((id) => !voters.includes(id))];
  const members = all.map((id) => {
    const report = reports.get(id) ?? null;
    return { id, report, state: stateOf(report, right) };
  });
  return { ...check, members, outcome: outcomeOf(members, right) };
}

/** The hash that more than half of all voters have, or null. Those that did not answer count as voters, for nothing. */
function majorityOf(reports: readonly (StateReport | null)[]): StateReport | null {
  const counts = new Map<StateReport, number>();
  for (const report of reports) {
    if (report !== null && report !== BUSY) counts.set(report, (counts.get(report) ?? 0) + 1);
  }
  for (const [report, count] of counts) {
    if (count * 2 > reports.length) return report;
  }
  return null;
}

function stateOf(report: StateReport | null, right: StateReport | null): MemberState {
  if (report === null || report === BUSY || right === null) return "unknown";
  return report === right ? "equal" : "different";
}

function outcomeOf(members: StateVerdict["members"], right: StateReport | null): StateOutcome {
  if (members.some(({ state }) => state === "different")) return "different";
  if (right !== null)
    return members.every(({ state }) => state === "equal") ? "equal" : "incomplete";
  const hashes = members
    .map(({ report }) => report)
    .filter((each) => each !== null && each !== BUSY);
  return new Set(hashes).size > 1 ? "undecided" : "incomplete";
}
