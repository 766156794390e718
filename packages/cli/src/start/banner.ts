/** What a person who starts a node on a terminal wants to know first. */
import type { NodeHandle } from "@ferrite/node";
import type { NodeConfig } from "@ferrite/node/config";
import type { World } from "../world.ts";

/** The lines of the banner. */
export function bannerLines(node: NodeHandle, config: NodeConfig, world: World): string[] {
  const { style } = world;
  const [firstAddress = ""] = node.addresses.resp;
  const port = firstAddress.slice(firstAddress.lastIndexOf(":") + 1);
  const rows: (readonly [string, string])[] = [
    ["clients", `${node.addresses.resp.join(", ")}   ${style.dim(`redis-cli -p ${port}`)}`],
    ["peers", node.addresses.peer ?? "none: a cluster of one"],
    ["http", node.addresses.http === null ? "off" : `http://${node.addresses.http}/readyz?verbose`],
    ["data", config.dataDir],
  ];
  return [
    `${style.bold(`Ferrite ${world.version}`)}, node ${config.nodeName}`,
    ...rows.map(([name, text]) => `  ${name.padEnd(8)} ${text}`),
    "",
  ];
}
