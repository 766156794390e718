/** Where a node's log lines go: standard output, made pretty for a terminal, and warnings also to the parent. */
import { createLogger } from "@ferrite/node/logging";
import type { NodeConfig } from "@ferrite/node/config";
import { multistream, type Logger } from "pino";
import { PinoPretty } from "pino-pretty";
import type { ProcessPort } from "../world.ts";
import { tellParent } from "./supervision.ts";

export interface NodeLoggerOptions {
  readonly color: boolean;
  /** The parent that shows warnings, or null. */
  readonly parent: ProcessPort | null;
}

export function createNodeLogger(config: NodeConfig, options: NodeLoggerOptions): Logger {
  const { nodeName, logLevel: level } = config;
  const output = config.logFormat === "pretty" ? prettyOutput(options.color) : process.stdout;
  const { parent } = options;
  if (parent === null) return createLogger({ level, nodeName, destination: output });
  const toParent = {
    write: (line: string): void => tellParent(parent, { kind: "warning", line }),
  };
  const destination = multistream([
    { level: "trace", stream: output },
    { level: "warn", stream: toParent },
  ]);
  return createLogger({ level, nodeName, destination });
}

/** Written at once: the last lines before a crash are the ones that matter. */
function prettyOutput(colorize: boolean): ReturnType<typeof PinoPretty> {
  return PinoPretty({
    colorize,
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "pid,hostname,node",
    destination: 1,
    singleLine: true,
    sync: true,
  });
}
