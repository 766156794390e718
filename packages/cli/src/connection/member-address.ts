/** Where other members are reached, found out by asking one node. */
import { parseHostPort, type HostPort } from "@ferrite/node/config";

/**
 * A member's address for the connection that was used for the first node. What members announce is one address, of the
 * plain port unless client-announce says otherwise; over TLS it is assumed that its tls-port is as far from the announced
 * one as it is on the node that was asked first. Null when what is announced is no address.
 */
export function memberAddress(
  announced: string,
  first: { readonly port: number; readonly announced: string; readonly tls: boolean },
): HostPort | null {
  const address = parseHostPort(announced);
  const own = parseHostPort(first.announced);
  if (address === null || own === null || !first.tls) return address;
  const port = address.port + first.port - own.port;
  return port >= 1 && port <= 65_535 ? { host: address.host, port } : address;
}
