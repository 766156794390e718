/** Checks that every port of a cluster is free before anything is started, so that none comes up halfway. */
import { createServer } from "node:net";
import { CliError } from "../errors.ts";
import type { PlannedNode } from "./plan.ts";

/** Where nodes listen: clients may come over IPv4 and IPv6, peers and HTTP over IPv4 only. */
const CLIENT_ADDRESSES = ["127.0.0.1", "::1"];
const INNER_ADDRESSES = ["127.0.0.1"];

interface Wanted {
  readonly port: number;
  readonly purpose: string;
  readonly addresses: readonly string[];
}

/** Throws CliError that names every port that is taken. */
export async function requireFreePorts(nodes: readonly PlannedNode[]): Promise<void> {
  const taken: string[] = [];
  for (const wanted of nodes.flatMap((node) => wantedPorts(node, nodes.length > 1))) {
    const free = await isFree(wanted);
    if (!free) taken.push(`${wanted.port} (${wanted.purpose})`);
  }
  if (taken.length === 0) return;
  const [subject, verb] = taken.length === 1 ? ["Port", "is"] : ["Ports", "are"];
  throw new CliError(
    "portTaken",
    `${subject} ${taken.join(", ")} ${verb} already in use. ` +
      "Stop what listens there, or shift the whole cluster with --base-port, for example --base-port 7379.",
  );
}

function wantedPorts(node: PlannedNode, hasPeers: boolean): Wanted[] {
  const ports: Wanted[] = [
    { port: node.port, purpose: `clients of ${node.name}`, addresses: CLIENT_ADDRESSES },
    { port: node.httpPort, purpose: `HTTP of ${node.name}`, addresses: INNER_ADDRESSES },
  ];
  if (node.tlsPort !== null) {
    ports.push({
      port: node.tlsPort,
      purpose: `TLS of ${node.name}`,
      addresses: CLIENT_ADDRESSES,
    });
  }
  if (hasPeers) {
    ports.push({
      port: node.peerPort,
      purpose: `peers of ${node.name}`,
      addresses: INNER_ADDRESSES,
    });
  }
  return ports;
}

async function isFree(wanted: Wanted): Promise<boolean> {
  for (const address of wanted.addresses) {
    if (!(await canListen(wanted.port, address))) return false;
  }
  return true;
}

/** Anything but "in use" counts as free: a machine without IPv6 has no ::1 to be taken. */
function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EACCES") reject(privileged(port));
      else resolve(error.code !== "EADDRINUSE");
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function privileged(port: number): CliError {
  return new CliError(
    "badArgument",
    `This user may not listen on port ${port}; choose a --base-port above 1023.`,
  );
}
