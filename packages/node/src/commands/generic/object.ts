import type { ContainerCommand } from "../command.ts";
import { objectEncoding } from "./object-encoding.ts";
import { objectFreq } from "./object-freq.ts";
import { objectHelp } from "./object-help.ts";
import { objectIdletime } from "./object-idletime.ts";
import { objectRefcount } from "./object-refcount.ts";

/** OBJECT ENCODING | FREQ | HELP | IDLETIME | REFCOUNT */
export const object: ContainerCommand = {
  kind: "container",
  name: "object",
  summary: "A container for object introspection commands",
  complexity: "Depends on subcommand.",
  since: "2.2.3",
  group: "generic",
  arity: -2,
  flags: [],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  subcommands: [objectEncoding, objectFreq, objectHelp, objectIdletime, objectRefcount],
};
