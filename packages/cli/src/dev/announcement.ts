/** What `ferrite dev` prints once the cluster is up. */
import { shortPath } from "../terminal/short-path.ts";
import { renderTable, type Column } from "../terminal/table.ts";
import type { World } from "../world.ts";
import type { ChildNode } from "./child-node.ts";
import type { Leadership } from "./cluster.ts";
import { clientCertificateFlags } from "./data-directory.ts";

const TLS_COLUMN: Column<ChildNode> = {
  title: "TLS",
  cell: ({ plan }) => (plan.tlsPort === null ? "-" : `127.0.0.1:${plan.tlsPort}`),
};

/** The lines: who leads, where everything listens, and what to paste. */
export function announcementLines(
  nodes: readonly ChildNode[],
  leadership: Leadership,
  context: { readonly world: World; readonly dataDirectory: string },
): string[] {
  const { world, dataDirectory } = context;
  const { style } = world;
  const { leader, term } = leadership;
  const count = nodes.length === 1 ? "one node is up" : `${nodes.length} nodes are up`;
  const rows = renderTable<ChildNode>(
    [
      { title: "NODE", cell: (node) => node.plan.name },
      {
        title: "ROLE",
        cell: (node) => (node === leader ? "leader" : node.isRunning ? "follower" : "down"),
        paint: (text, node) =>
          node === leader ? style.good(text) : node.isRunning ? text : style.bad(text),
      },
      { title: "REDIS", cell: (node) => `127.0.0.1:${node.plan.port}` },
      ...(nodes.some((node) => node.plan.tlsPort !== null) ? [TLS_COLUMN] : []),
      { title: "HTTP", cell: (node) => `http://127.0.0.1:${node.plan.httpPort}` },
      { title: "LOG", cell: (node) => shortPath(world.workingDirectory, node.plan.logFile) },
    ],
    nodes,
    style,
  );
  return [
    "",
    `${style.bold(`Ferrite ${world.version}`)}: ${count}, ${style.bold(leader.plan.name)} leads (term ${term})`,
    "",
    ...rows.map((row) => `  ${row}`),
    "",
    nodes.length === 1 ? "Try it:" : "Try it; every node takes reads and writes:",
    ...tryLines(nodes).map((line) => `  ${line}`),
    ...tlsLines(nodes, context).map((line) => `  ${line}`),
    "",
    `Data stays in ${shortPath(world.workingDirectory, dataDirectory)}. Ctrl-C stops ${nodes.length === 1 ? "it" : "all nodes"}.`,
    "",
  ];
}

/** The same with TLS and the certificate that was made for it. */
function tlsLines(
  nodes: readonly ChildNode[],
  context: { readonly world: World; readonly dataDirectory: string },
): string[] {
  const { world, dataDirectory } = context;
  const port = nodes.find((node) => node.isRunning)?.plan.tlsPort ?? null;
  if (port === null) return [];
  const flags = clientCertificateFlags(dataDirectory).map(
    ([flag, path]) => `${flag} ${shellWord(shortPath(world.workingDirectory, path))}`,
  );
  return [`redis-cli --tls -p ${port} ${flags.join(" ")} ping`];
}

/** What can be pasted into a shell. */
function shellWord(text: string): string {
  return /^[\w./:=,@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function tryLines(nodes: readonly ChildNode[]): string[] {
  const ports = nodes.filter((node) => node.isRunning).map((node) => node.plan.port);
  const at = (index: number): number => ports[index % ports.length] ?? 0;
  const [http] = nodes.filter((node) => node.isRunning).map((node) => node.plan.httpPort);
  return [
    `redis-cli -p ${at(0)} set greeting hello`,
    `redis-cli -p ${at(1)} get greeting`,
    `redis-cli -p ${at(2)} ferrite.status`,
    `redis-benchmark -p ${at(1)} -t set,get -n 100000 -q`,
    `curl 'http://127.0.0.1:${http}/readyz?verbose'`,
  ];
}
