/** The status of a cluster as lines for people. */
import type { Style } from "../terminal/style.ts";
import { renderTable } from "../terminal/table.ts";
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
  ];
}

function shown(value: number | null): string {
  return value === null ? "-" : String(value);
}
