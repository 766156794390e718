import type { EdgeCommand } from "../command.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { INFO_SECTIONS } from "./info-sections.ts";
import type { InfoSection } from "./info-sections.ts";

/** INFO [section [section ...]] */
export const info: EdgeCommand = {
  kind: "edge",
  name: "info",
  summary: "Get information and statistics about the server",
  complexity: "O(1)",
  since: "1.0.0",
  group: "server",
  arity: -1,
  flags: ["loading", "stale"],
  categories: ["slow", "dangerous"],
  keySpecs: [],
  arguments: [{ name: "section", type: "string", flags: ["optional", "multiple"] }],
  history: [["7.0.0", "Added support for taking multiple section arguments."]],
  tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
  run: ({ argv, reply, server }) => {
    const wanted = chosenSections(argv);
    const texts = INFO_SECTIONS.filter((section) => wanted(section)).map((section) => {
      const lines = section.lines(server).map(([name, value]) => `${name}:${value}\r\n`);
      return `# ${section.title}\r\n${lines.join("")}`;
    });
    reply.verbatim("txt", texts.join("\r\n"));
  },
};

/** Sections are printed in their own order, each once, whatever the order they were asked for in. */
function chosenSections(argv: EdgeContext["argv"]): (section: InfoSection) => boolean {
  if (argv.count === 1) return (section) => section.isDefault;
  const names = new Set<string>();
  for (let index = 1; index < argv.count; index++) names.add(argv.latin1(index).toLowerCase());
  if (names.has("all") || names.has("everything")) return () => true;
  return (section) => names.has(section.name) || (names.has("default") && section.isDefault);
}
