/** docs/configuration.md, written from the table of settings so that it can not be out of date. */
import { FIXED_SETTINGS } from "./redis-names.ts";
import {
  environmentName,
  SETTING_FIELDS,
  SETTINGS,
  type Setting,
  type SettingGroup,
} from "./schema.ts";

const GROUP_TITLES: Readonly<Record<SettingGroup, string>> = {
  node: "The node",
  clients: "Clients",
  tls: "TLS",
  security: "Who is let in",
  audit: "The audit trail",
  cluster: "Cluster",
  "reads and writes": "Reads and writes",
  storage: "Storage",
  observability: "Health, metrics and logs",
};

const INTRODUCTION = `# Configuration

A node needs no settings at all: \`ferrite start\` is a complete cluster of one. Settings have the names of
\`redis.conf\` where Redis has them, and are taken from, strongest first:

1. flags of \`ferrite start\`: \`--port 7000\`, or \`--set port=7000\` for any setting;
2. environment variables: \`port\` is \`FERRITE_PORT\`;
3. a file in the syntax of \`redis.conf\`, given as \`ferrite start my.conf\`, by \`--config\` or by \`FERRITE_CONFIG\`;
4. the defaults below.

A wrong value, an unknown name and settings that do not fit together are refused before anything is started, all at
once, each with the place it came from. Settings marked *live* can be changed by \`CONFIG SET\` while the node runs; the
change is this node's own and lasts until it stops. \`CONFIG GET\` shows \`(redacted)\` for a secret that is set.

Units of bytes are \`kb\`, \`mb\`, \`gb\` (powers of 1024) and \`k\`, \`m\`, \`g\` (powers of 1000).

This page is written from the table of settings; \`REWRITE=1\` with the tests of the configuration writes it anew.
`;

/** The whole page. */
export function configurationMarkdown(): string {
  const groups = Object.keys(GROUP_TITLES) as SettingGroup[];
  return [INTRODUCTION, ...groups.map(groupSection), fixedSection()].join("\n");
}

function groupSection(group: SettingGroup): string {
  const settings = SETTING_FIELDS.map((field) => SETTINGS[field] as Setting<unknown>);
  const entries = settings.filter((setting) => setting.group === group).map(settingEntry);
  return [`## ${GROUP_TITLES[group]}\n`, ...entries].join("\n");
}

function settingEntry(setting: Setting<unknown>): string {
  const { name, kind, defaultText, defaultMeaning } = setting;
  const byDefault = defaultMeaning ?? (defaultText === "" ? "empty" : `\`${defaultText}\``);
  const variables = [environmentName(name), ...(setting.environmentAliases ?? [])];
  const facts = [
    `Value: ${kind.label}${kind.range === "" ? "" : `, ${kind.range}`}.`,
    `Default: ${byDefault}.`,
    `Environment: ${variables.map((variable) => `\`${variable}\``).join(", ")}.`,
    ...(setting.live ? ["*Live.*"] : []),
    ...(setting.secret ? ["*Secret.*"] : []),
  ];
  return [`### ${name}\n`, `${setting.about}\n`, `${facts.join(" ")}\n`].join("\n");
}

function fixedSection(): string {
  const rows = FIXED_SETTINGS.map(
    ({ name, value, reason }) => `| \`${name}\` | \`${value || '""'}\` | ${reason} |`,
  );
  return [
    "## Settings of Redis that never change here\n",
    "A file may hold them with this value, and `CONFIG GET` answers it; any other value is refused.\n",
    "| name | value | why |",
    "|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
