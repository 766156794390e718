/** The node's logger: structured lines, secrets hidden whatever is logged. */
import { pino, type DestinationStream, type Logger } from "pino";

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

export interface LoggerOptions {
  readonly level: LogLevel;
  /** In every line, so that the lines of several nodes can be told apart. */
  readonly nodeName: string;
  /** Where lines go: standard output, or a stream that makes them pretty. */
  readonly destination?: DestinationStream;
}

/**
 * Fields that hold secrets, at the top and one level down. A guard against a slip: nobody should log them in the first
 * place.
 */
const SECRET_FIELDS: readonly string[] = [
  "password",
  "requirepass",
  "clusterToken",
  "cluster-token",
  "authorization",
  "token",
  "privateKey",
  "key",
];

/** Makes a logger. JSON lines with the level as a word and the time in ISO form, unless the destination changes that. */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      base: { node: options.nodeName },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactedPaths(), censor: "(redacted)" },
    },
    options.destination ?? process.stdout,
  );
}

function redactedPaths(): string[] {
  return SECRET_FIELDS.flatMap((field) => [`["${field}"]`, `*["${field}"]`]);
}
