/** The status of a cluster as lines for people. */
import type { Style } from "../terminal/style.ts";
import { printable, renderTable, type Column } from "../terminal/table.ts";
import { WARNING_DAYS, soonestDaysLeft } from "./certificate-report.ts";
import type { ClusterReport, MemberLine } from "./cluster-report.ts";

export function statusLines(report: ClusterReport, style: Style): string[] {
  const state = report.healthy ? style.good("healthy") : style.bad("not healthy");
  const leader = report.leader === null ? "no leader" : `${report.leader} leads`;
  const table = renderTable<MemberLine>(
    [
      { title: "NODE", cell: (member) => member.name },
      {
        title: "ROLE",
        cell: (member) => member.role,
        paint: (text, member) => (member.role === "leader" ? style.good(text) : text),
      },
      { title: "REDIS", cell: (member) => member.clientAddress },
      { title: "TERM", align: "right", cell: (member) => shown(member.term) },
      { title: "APPLIED", align: "right", cell: (member) => shown(member.appliedIndex) },
      { title: "LAG", align: "right", cell: (member) => shown(member.lagEntries) },
      ...certificateColumns(report, style),
      ...diskColumns(report),
      {
        title: "STATE",
        cell: (member) => member.problem ?? "ok",
        paint: (text, member) => (member.problem === null ? style.good(text) : style.bad(text)),
      },
    ],
    report.members,
    style,
  );
  const noLeader = report.leader === null ? ["", style.bad("No leader: writes are refused.")] : [];
  return [
    `Cluster ${report.clusterId}: ${state}, ${leader} (term ${report.term})`,
    "",
    ...table,
    ...noLeader,
    ...warningLines(report, style),
  ];
}

/** Days until the first of a node's certificates ends; nothing in a cluster without any. */
function certificateColumns(report: ClusterReport, style: Style): Column<MemberLine>[] {
  if (report.members.every((member) => member.certificates.length === 0)) return [];
  const daysLeft = ({ certificates }: MemberLine): number | null => soonestDaysLeft(certificates);
  return [
    {
      title: "CERTS",
      align: "right",
      cell: (member) => (daysLeft(member) === null ? "-" : `${daysLeft(member)}d`),
      paint: (text, member) =>
        (daysLeft(member) ?? WARNING_DAYS) < WARNING_DAYS ? style.bad(text) : text,
    },
  ];
}

/** Only where something is encrypted, or about to be. */
function diskColumns(report: ClusterReport): Column<MemberLine>[] {
  const said = report.members.filter(({ atRest }) => atRest !== null && atRest !== "plain");
  return said.length === 0 ? [] : [{ title: "AT REST", cell: ({ atRest }) => atRest ?? "-" }];
}

function warningLines(report: ClusterReport, style: Style): string[] {
  if (report.warnings.length === 0) return [];
  return ["", ...report.warnings.map((text) => style.bad(printable(`Warning: ${text}`)))];
}

function shown(value: number | null): string {
  return value === null ? "-" : String(value);
}
