/** Both ends of a client's connection, as CLIENT LIST, logs and the trail print them. */
import type { Socket } from "node:net";
import { originOfAddress } from "../security/client-origin.ts";
import { hostOf } from "../access/login.ts";
import type { ClientOrigin } from "../security/client-origin.ts";
import type { ClientPlace } from "../security/pre-auth-registry.ts";

/** Both ends of a client's connection, and where from it comes. */
export interface ClientEnds {
  readonly address: string;
  readonly localAddress: string;
  readonly origin: ClientOrigin;
}

/** Of a TCP connection, also under TLS. Null when the client is gone already. */
export function tcpEnds(socket: Socket): ClientEnds | null {
  if (socket.remoteAddress === undefined) return null;
  return {
    address: printAddress(socket.remoteAddress, socket.remotePort),
    localAddress: printAddress(socket.localAddress, socket.localPort),
    origin: originOfAddress(socket.remoteAddress),
  };
}

/** Of a client of the Unix socket at `path`. */
export function unixEnds(path: string): ClientEnds {
  return { address: `${path}:0`, localAddress: `${path}:0`, origin: "unix" };
}

function printAddress(host: string | undefined, port: number | undefined): string {
  // Dual-stack sockets show IPv4 clients in IPv6 form.
  const plain = (host ?? "?").replace(/^::ffff:(?=\d+\.)/, "");
  return plain.includes(":") ? `[${plain}]:${port ?? 0}` : `${plain}:${port ?? 0}`;
}

/** Under what a connection is counted. */
export function placeOf({ origin, address }: Pick<ClientEnds, "origin" | "address">): ClientPlace {
  return { origin, address: origin === "unix" ? null : hostOf(address) };
}

/** Says why and closes, whether the client listens or not. */
export function refuseSocket(socket: Socket, answer: Buffer): void {
  socket.on("error", () => socket.destroy());
  socket.end(answer, () => socket.destroy());
}
