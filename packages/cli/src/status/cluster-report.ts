/** The whole cluster, put together from what its members say, and whether it is well. Pure. */
import {
  certificateProblem,
  certificateWarnings,
  type CertificateReport,
} from "./certificate-report.ts";
import type { MemberReport, NodeReport } from "./node-report.ts";

/** A member's own words, or why there are none. */
export type MemberAnswer =
  | { readonly kind: "report"; readonly report: NodeReport }
  | { readonly kind: "silent"; readonly reason: string };

export interface MemberLine {
  readonly name: string;
  readonly id: string;
  readonly role: string;
  readonly clientAddress: string;
  readonly reachable: boolean;
  readonly term: number | null;
  readonly appliedIndex: number | null;
  /** Entries behind the furthest member that answered. */
  readonly lagEntries: number | null;
  readonly certificates: readonly CertificateReport[];
  /** How its data is kept; null: it does not say. */
  readonly atRest: string | null;
  /** Why it is not well, or null. */
  readonly problem: string | null;
  /** What will be a problem when nobody sees to it. */
  readonly warnings: readonly string[];
}

export interface ClusterReport {
  readonly healthy: boolean;
  readonly clusterId: string;
  readonly leader: string | null;
  readonly term: number;
  readonly members: readonly MemberLine[];
  /** In words; empty when healthy. */
  readonly problems: readonly string[];
  /** In words; they do not make it unhealthy. */
  readonly warnings: readonly string[];
}

/** More entries behind than this for a moment is no trouble; a status is one moment. */
export const LAG_ENTRIES_MAX = 10_000;

/** `seen` is the node that was asked first: its list of members counts. */
export function clusterReport(
  seen: NodeReport,
  answers: ReadonlyMap<string, MemberAnswer>,
): ClusterReport {
  const reports = [...answers.values()].flatMap((answer) =>
    answer.kind === "report" ? [answer.report] : [],
  );
  const ownReports = reports.filter((report) => report.clusterId === seen.clusterId);
  const furthest = Math.max(seen.commitIndex, ...ownReports.map((report) => report.commitIndex));
  const members = seen.members.map((member) =>
    memberLine(member, answers.get(member.id), { clusterId: seen.clusterId, furthest }),
  );
  const leader = findLeader(ownReports);
  const problems = [
    ...(leader === null ? ["no leader: writes are refused"] : []),
    ...members.flatMap((member) =>
      member.problem === null ? [] : [`${member.name}: ${member.problem}`],
    ),
  ];
  return {
    healthy: problems.length === 0,
    clusterId: seen.clusterId,
    leader: leader?.nodeName ?? null,
    term: Math.max(seen.term, ...ownReports.map((report) => report.term)),
    members,
    problems,
    warnings: [
      ...members.flatMap(({ name, warnings }) => warnings.map((text) => `${name}: ${text}`)),
      ...atRestWarnings(members),
    ],
  };
}

/** What one member keeps in the clear need not be stolen from those that do not. */
function atRestWarnings(members: readonly MemberLine[]): string[] {
  const plain = members.filter((member) => member.atRest === "plain");
  const others = members.some((member) => member.atRest !== null && member.atRest !== "plain");
  if (!others) return [];
  return plain.map(({ name }) => `${name}: keeps its data in the clear, unlike others`);
}

/** During a change two nodes can believe that they lead: the one with the higher term is right. */
function findLeader(reports: readonly NodeReport[]): NodeReport | null {
  const leaders = reports.filter((report) => report.role === "leader");
  return leaders.reduce<NodeReport | null>(
    (best, report) => (best === null || report.term > best.term ? report : best),
    null,
  );
}

function memberLine(
  member: MemberReport,
  answer: MemberAnswer | undefined,
  cluster: { readonly clusterId: string; readonly furthest: number },
): MemberLine {
  const base = { name: member.name, id: member.id, clientAddress: member.clientAddress };
  const silent = {
    role: member.learner ? "learner" : "?",
    reachable: false,
    term: null,
    appliedIndex: null,
    lagEntries: null,
    certificates: [],
    atRest: null,
    warnings: [],
  };
  if (answer === undefined || answer.kind === "silent") {
    return { ...base, ...silent, problem: answer?.reason ?? "was not asked" };
  }
  const { report } = answer;
  if (report.clusterId !== cluster.clusterId || report.nodeId !== member.id) {
    return { ...base, ...silent, problem: "another node answers at its address" };
  }
  const lagEntries = Math.max(0, cluster.furthest - report.appliedIndex);
  return {
    ...base,
    role: report.role,
    reachable: true,
    term: report.term,
    appliedIndex: report.appliedIndex,
    lagEntries,
    certificates: report.certificates,
    atRest: report.atRest,
    problem: problemOf(report, lagEntries),
    warnings: certificateWarnings(report.certificates),
  };
}

function problemOf(report: NodeReport, lagEntries: number): string | null {
  if (report.leaderId === null) return "knows no leader";
  if (report.writeRefusal !== null) return `refuses writes: ${report.writeRefusal}`;
  if (lagEntries > LAG_ENTRIES_MAX) return `${lagEntries} entries behind`;
  return certificateProblem(report.certificates);
}
