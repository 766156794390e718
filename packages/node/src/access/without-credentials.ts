/**
 * What a node still answers when it can honour no credentials, because it can not know who may do what: commands that
 * tell an operator how it is and hold no data, and what a connection does to itself.
 */
import type { CommandSpec } from "../commands/command.ts";

const SERVED: ReadonlySet<string> = new Set([
  "ping",
  "hello",
  "reset",
  "quit",
  "info",
  "time",
  "ferrite.status",
  "cluster|info",
  "cluster|myid",
  "cluster|nodes",
  "command",
  "command|count",
  "command|docs",
  "command|info",
  "command|list",
]);

export function isServedWithoutCredentials(command: CommandSpec): boolean {
  return SERVED.has(command.name);
}
