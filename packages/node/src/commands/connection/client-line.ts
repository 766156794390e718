/** One client as CLIENT LIST and CLIENT INFO print it. */
import type { ClientView } from "../../server/edge-context.ts";

/** The fields of Redis 7.0 in its order, then those of 7.2; no line end. A byte string, as the user's name is one. */
export function clientLine(client: ClientView, nowMs: number): string {
  const output = client.outputBufferBytes();
  const input = client.queryBufferBytes();
  const fields: readonly (readonly [string, string | number])[] = [
    ["id", client.id],
    ["addr", client.address],
    ["laddr", client.localAddress],
    // Node does not tell file descriptors.
    ["fd", -1],
    ["name", client.name],
    ["age", wholeSeconds(nowMs - client.connectedAtMs)],
    ["idle", wholeSeconds(nowMs - client.lastInteractionAtMs)],
    ["flags", clientFlags(client)],
    ["db", 0],
    ["sub", 0],
    ["psub", 0],
    ["ssub", 0],
    ["multi", -1],
    ["qbuf", input],
    ["qbuf-free", 0],
    ["argv-mem", 0],
    ["multi-mem", 0],
    ["rbs", 0],
    ["rbp", 0],
    ["obl", output],
    ["oll", 0],
    ["omem", output],
    ["tot-mem", input + output],
    ["events", output > 0 ? "rw" : "r"],
    ["cmd", client.lastCommandName],
    ["user", client.user ?? "default"],
    ["redir", -1],
    ["resp", client.protocol],
    ["lib-name", client.libraryName],
    ["lib-ver", client.libraryVersion],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(" ");
}

function clientFlags(client: ClientView): string {
  const flags = `${client.isBlocked ? "b" : ""}${client.noEvict ? "e" : ""}${client.noTouch ? "T" : ""}`;
  return flags === "" ? "N" : flags;
}

function wholeSeconds(milliseconds: number): number {
  return Math.max(0, Math.floor(milliseconds / 1000));
}
