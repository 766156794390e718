/** What the cluster has witnessed of its nodes' trails, as one of them knows it. */
import type { Anchor } from "@ferrite/node/audit";
import { CliError } from "../errors.ts";
import type { RespValue } from "../connection/resp-value.ts";
import type { NodeSession } from "../connection/node-session.ts";

/** By node id. @throws CliError */
export async function readAnchors(session: NodeSession): Promise<ReadonlyMap<string, Anchor>> {
  const status = fields(await session.askOne("FERRITE.AUDIT", "STATUS"));
  const list = status.get("anchors");
  if (!Array.isArray(list)) {
    throw new CliError("unreachable", `${session.where}: tells no anchors`);
  }
  const anchors = new Map<string, Anchor>();
  for (const entry of list as readonly RespValue[]) {
    const facts = fields(entry);
    const [nodeId, sequence, hash] = ["node_id", "sequence", "head"].map((name) => facts.get(name));
    if (typeof nodeId === "string" && typeof sequence === "number" && typeof hash === "string") {
      anchors.set(nodeId, { sequence, hash });
    }
  }
  return anchors;
}

/** A map as RESP2 sends it: names and values in turn. */
function fields(value: RespValue): ReadonlyMap<string, RespValue> {
  const found = new Map<string, RespValue>();
  if (!Array.isArray(value)) return found;
  const list = value as readonly RespValue[];
  for (let at = 0; at + 1 < list.length; at += 2) {
    const name = list[at];
    if (typeof name === "string") found.set(name, list[at + 1] ?? null);
  }
  return found;
}
