/** Members and changes as lines for people. */
import type { Style } from "../terminal/style.ts";
import { printable, renderTable, type Column } from "../terminal/table.ts";
import type { ChangeReport, MemberReport, MembershipReport } from "./member-report.ts";

/** The members as a table, then the change that is under way, then what is wrong. */
export function membershipLines(report: MembershipReport, style: Style): string[] {
  const lines = renderTable(columns(report, style), report.members, style);
  const { change } = report;
  if (change !== null && !isOver(change)) {
    lines.push("", `Change ${change.id}: ${progressLine(report, change)}`);
  }
  for (const { kind, nodeId, text } of report.alarms) {
    const name = report.members.find(({ id }) => id === nodeId)?.name ?? nodeId ?? "cluster";
    lines.push(style.bad(printable(`Alarm: ${name}: ${kind}: ${text}`)));
  }
  return lines;
}

/** Nothing more happens to this change. */
export function isOver(change: ChangeReport): boolean {
  return change.phase === "done" || change.phase === "refused" || change.phase === "cancelled";
}

/** What is asked for, and how far it is. */
export function progressLine(report: MembershipReport, change: ChangeReport): string {
  return printable(`${describeChange(change)}: ${progress(report, change)}`);
}

/** What is asked for, in a few words. */
export function describeChange({ kind, name, newcomer }: ChangeReport): string {
  const by = newcomer === null || newcomer === name ? "" : ` by ${newcomer}`;
  return printable(`${kind} ${name}${by}`);
}

function progress(report: MembershipReport, change: ChangeReport): string {
  const because = change.reason === null ? "" : ` (${change.reason})`;
  switch (change.phase) {
    case "asked":
      return `waits for the leader${because}`;
    case "waiting":
      return `waits for ${change.newcomer ?? change.name} to come${because}`;
    case "catchingUp":
      return `${change.newcomer ?? change.name} receives the log${share(report, change)}${because}`;
    case "changing":
      return `the cluster agrees on the new members${because}`;
    default:
      return `${change.phase}${because}`;
  }
}

/** How much of the log the newcomer has, as far as the node that answered knows. */
function share({ members, goalIndex }: MembershipReport, { targetId }: ChangeReport): string {
  const has = members.find(({ id }) => id === targetId)?.matchIndex ?? null;
  if (has === null || goalIndex === null || goalIndex === 0) return "";
  return `, ${has} of ${goalIndex} entries`;
}

function columns(
  { members, featureLevel }: MembershipReport,
  style: Style,
): Column<MemberReport>[] {
  const all: Column<MemberReport>[] = [
    { title: "NAME", cell: ({ name }) => name },
    {
      title: "ROLE",
      cell: ({ role, leader }) => (leader ? "leader" : role),
      paint: (text, { leader }) => (leader ? style.bold(text) : text),
    },
    {
      title: "LINK",
      cell: ({ connected }) => (connected ? "up" : "down"),
      paint: (text, { connected }) => (connected ? style.good(text) : style.bad(text)),
    },
    { title: "CLIENTS", cell: ({ clientAddress }) => clientAddress ?? "-" },
    { title: "PEERS", cell: ({ peerAddress }) => peerAddress ?? "-" },
    { title: "PRIORITY", align: "right", cell: ({ priority }) => String(priority ?? "-") },
    { title: "VERSION", cell: ({ version }) => version ?? "-" },
  ];
  if (members.some(({ matchIndex }) => matchIndex !== null)) {
    all.push({
      title: "LOG",
      align: "right",
      cell: ({ matchIndex }) => (matchIndex === null ? "-" : String(matchIndex)),
    });
  }
  if (members.some((member) => member.featureLevel !== featureLevel)) {
    all.push({
      title: "LEVEL",
      align: "right",
      cell: (member) => String(member.featureLevel ?? "-"),
    });
  }
  all.push({ title: "ID", cell: ({ id }) => id });
  return all;
}
