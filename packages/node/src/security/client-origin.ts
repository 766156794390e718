/**
 * Where a connection comes from, as far as it decides what the client may do before it has said who it is (S24): from
 * this machine, or from anywhere else. What can not be told is "anywhere else".
 */
import { isIPv4, isIPv6 } from "node:net";

export type ClientOrigin = "loopback" | "unix" | "remote";

/** How addresses of Unix socket clients are written where an address is asked for. */
export const UNIX_SOCKET_ADDRESS = "unix";

/** Groups of 16 bits in an IPv6 address, and those of its network part: what one subscriber usually has. */
const IPV6_GROUPS = 8;
const IPV6_NETWORK_GROUPS = 4;

/**
 * Loopback is 127.0.0.0/8, ::1 and ::ffff:127.0.0.0/104, in any spelling. An address that is missing (the client left
 * already) or is none counts as remote, and so do the bridge of a container and a proxy: they speak for others.
 */
export function originOfAddress(address: string | null | undefined): ClientOrigin {
  if (address === null || address === undefined) return "remote";
  const plain = plainAddress(address);
  if (isIPv4(plain)) return plain.startsWith("127.") ? "loopback" : "remote";
  const groups = ipv6Groups(plain);
  const isLoopback =
    groups !== null && groups[IPV6_GROUPS - 1] === 1 && groups.slice(0, -1).every(isZero);
  return isLoopback ? "loopback" : "remote";
}

/** From this machine: whoever can connect so has an account here. */
export function isLocalOrigin(origin: ClientOrigin): boolean {
  return origin !== "remote";
}

/**
 * Under which name an address is counted. Somebody who has one IPv6 address has the 2^64 beside it, so that those count
 * as one; an IPv4 address counts as itself, also in its IPv6 form.
 */
export function addressGroup(address: string | null | undefined): string {
  if (address === null || address === undefined) return "unknown";
  const plain = plainAddress(address);
  const groups = ipv6Groups(plain);
  if (groups === null) return plain;
  const network = groups.slice(0, IPV6_NETWORK_GROUPS).map((group) => group.toString(16));
  return `${network.join(":")}::/64`;
}

/** Without a zone (`%eth0`), and as IPv4 where it is an IPv4 address in IPv6 form. */
function plainAddress(address: string): string {
  const zone = address.indexOf("%");
  const bare = zone < 0 ? address : address.slice(0, zone);
  const groups = ipv6Groups(bare);
  if (groups === null) return bare;
  const isMapped = groups.slice(0, 5).every(isZero) && groups[5] === 0xffff;
  if (!isMapped) return bare;
  const [high, low] = [groups[6], groups[7]];
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

/** The eight groups of an IPv6 address in any legal spelling, or null. */
function ipv6Groups(address: string): readonly number[] | null {
  if (!isIPv6(address) || address.includes("%")) return null;
  const [headText, tailText] = address.split("::");
  const head = groupsOf(headText);
  if (tailText === undefined) return head;
  const tail = groupsOf(tailText);
  const zeros = Array.from({ length: IPV6_GROUPS - head.length - tail.length }, () => 0);
  return [...head, ...zeros, ...tail];
}

function groupsOf(text: string): number[] {
  const groups: number[] = [];
  for (const part of text.split(":")) {
    if (part === "") continue;
    if (!part.includes(".")) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    // The last 32 bits may be written as IPv4.
    const bytes = part.split(".").map(Number);
    groups.push((bytes[0] << 8) | bytes[1], (bytes[2] << 8) | bytes[3]);
  }
  return groups;
}

function isZero(group: number): boolean {
  return group === 0;
}
