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
    ["tls", tlsText(node, config)],
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

/** Where clients with TLS come in, and whether they have to bring a certificate. */
function tlsText(node: NodeHandle, config: NodeConfig): string {
  const { tls } = node.addresses;
  if (tls.length === 0) return "off";
  const asks = config.tlsCaCertFile !== null || config.tlsCaCertDirectory !== null;
  const asked: Readonly<Record<NodeConfig["tlsAuthClients"], string>> = {
    yes: "clients need a certificate",
    optional: "clients may have a certificate",
    no: "clients need no certificate",
  };
  return `${tls.join(", ")}   ${asked[asks ? config.tlsAuthClients : "no"]}`;
}
