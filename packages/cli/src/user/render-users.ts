/** Users as lines for people. */
import type { Style } from "../terminal/style.ts";
import { printable, renderTable, type Column } from "../terminal/table.ts";
import type { SelectorReport, UserReport } from "./user-report.ts";

/** Rules may be long; `ferrite user show` has all of them. */
const CELL_CHARACTERS_MAX = 40;

/** One line for each user. */
export function userTable(users: readonly UserReport[], style: Style): string[] {
  const columns: Column<UserReport>[] = [
    { title: "NAME", cell: (user) => (user.name === "" ? '""' : user.name) },
    {
      title: "STATE",
      cell: (user) => (user.enabled ? "on" : "off"),
      paint: (text, user) => (user.enabled ? style.good(text) : style.dim(text)),
    },
    {
      title: "PASSWORDS",
      cell: (user) => (user.needsNoPassword ? "not needed" : String(user.passwordCount)),
      paint: (text, user) => (user.enabled && user.needsNoPassword ? style.bad(text) : text),
    },
    { title: "COMMANDS", cell: (user) => shortened(user.commands) },
    { title: "KEYS", cell: (user) => shortened(user.keys) },
    { title: "CHANNELS", cell: (user) => shortened(user.channels) },
  ];
  if (users.some(({ selectors }) => selectors.length > 0)) {
    columns.push({ title: "SELECTORS", cell: ({ selectors }) => String(selectors.length) });
  }
  if (users.some(({ expiresAt }) => expiresAt !== null)) {
    columns.push({ title: "EXPIRES", cell: ({ expiresAt }) => expiresAt ?? "never" });
  }
  return renderTable(columns, users, style);
}

/** All there is to say of one user. */
export function userLines(user: UserReport, style: Style): string[] {
  const facts: [string, string][] = [
    ["Name", printable(user.name)],
    ["State", user.enabled ? style.good("on") : style.bad("off: it can not log in")],
    ["Password", passwordFact(user)],
    ...selectorFacts(user),
  ];
  if (user.expiresAt !== null) facts.push(["Expires", user.expiresAt]);
  if (user.maxClients !== null) {
    facts.push(["Connections", `at most ${user.maxClients} at once on one node`]);
  }
  if (user.opsPerSec !== null) {
    facts.push(["Rate", `at most ${user.opsPerSec} commands per second on one node`]);
  }
  const lines = factLines(facts);
  for (const [index, selector] of user.selectors.entries()) {
    lines.push("", `Selector ${index + 1}, which allows more:`);
    for (const line of factLines(selectorFacts(selector))) lines.push(`  ${line}`);
  }
  return lines;
}

function passwordFact(user: UserReport): string {
  if (user.needsNoPassword) return "not needed: anybody may log in as this user";
  if (user.passwordCount === 0) return "none: nobody can log in as this user by password";
  return user.passwordCount === 1 ? "1" : `${user.passwordCount}, any of which will do`;
}

function selectorFacts({ commands, keys, channels }: SelectorReport): [string, string][] {
  return [
    ["Commands", printable(commands)],
    ["Keys", keys === "" ? "none" : printable(keys)],
    ["Channels", channels === "" ? "none" : printable(channels)],
  ];
}

function factLines(facts: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  return facts.map(([name, value]) => `${`${name}:`.padEnd(width)}${value}`);
}

function shortened(text: string): string {
  if (text.length <= CELL_CHARACTERS_MAX) return text === "" ? "-" : text;
  return `${text.slice(0, CELL_CHARACTERS_MAX - 3)}...`;
}
