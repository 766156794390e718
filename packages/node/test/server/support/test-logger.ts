import type { ServerLogger } from "../../../src/server/logger.ts";

/** Keeps the messages of level warn and above. */
export function collectingLogger(warnings: string[]): ServerLogger {
  const keep = (_fields: Record<string, unknown>, message: string): void => {
    warnings.push(message);
  };
  return { debug: () => undefined, info: () => undefined, warn: keep, error: keep };
}
