/**
 * Which interface the peer port listens on when peer-bind does not say: the node's own address, as the others dial it.
 * Never all interfaces, and never silently one that nobody can reach.
 */
import { lookup } from "node:dns/promises";
import { BlockList, isIP, isIPv6, SocketAddress } from "node:net";
import { networkInterfaces } from "node:os";
import { parseHostPort } from "../config/host-port.ts";
import { PeerError } from "./errors.ts";

const LOOPBACK = "127.0.0.1";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** The machine, as far as it matters here. */
export interface MachineAddresses {
  /** Addresses of a host name, in the order of the resolver. Rejects when there are none. */
  resolve(host: string): Promise<readonly string[]>;
  /** Addresses of this machine's interfaces. */
  own(): readonly string[];
}

export const systemAddresses: MachineAddresses = {
  resolve: async (host) => (await lookup(host, { all: true })).map((each) => each.address),
  own: () =>
    Object.values(networkInterfaces()).flatMap((each) =>
      (each ?? []).map(({ address }) => address),
    ),
};

export interface ListenAddress {
  readonly host: string;
  /** Why other machines may not reach it, for the log; null when nothing speaks against it. */
  readonly warning: string | null;
}

/**
 * @param asked peer-bind, null when it was not set
 * @param announced host:port that the others dial
 * @param peers host:port of the others
 * @throws PeerError listen when the announced name has no address: nobody could dial it
 */
export async function peerListenAddress(
  asked: string | null,
  announced: string,
  peers: readonly string[],
  machine: MachineAddresses = systemAddresses,
): Promise<ListenAddress> {
  const host = asked ?? (await ownAddress(announced, machine));
  if (host !== null) return { host, warning: isRemote(peers) ? loopbackWarning(host) : null };
  return {
    host: LOOPBACK,
    warning:
      `The peer port listens on ${LOOPBACK} only, as ${announced}, which the other nodes dial, is not an address of ` +
      "this machine: set peer-bind to one that they reach.",
  };
}

/** The address of this machine that is meant, one that others can reach before a loopback one; null when there is none. */
async function ownAddress(announced: string, machine: MachineAddresses): Promise<string | null> {
  const host = parseHostPort(announced)?.host ?? LOOPBACK;
  const addresses = isIP(host) === 0 ? await resolve(host, machine) : [host];
  const own = new Set(machine.own().map(canonical));
  const usable = addresses.filter((each) => own.has(canonical(each)) || isLoopback(each));
  return usable.find((each) => !isLoopback(each)) ?? usable[0] ?? null;
}

async function resolve(host: string, machine: MachineAddresses): Promise<readonly string[]> {
  try {
    return await machine.resolve(host);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PeerError(
      "listen",
      `The name ${host}, which the other nodes dial to reach this one, has no address (${reason}): ` +
        "correct peers or peer-announce, or set peer-bind.",
      { cause },
    );
  }
}

/** Whether any of the others is on another machine, as far as their addresses tell. */
function isRemote(peers: readonly string[]): boolean {
  return peers.some((peer) => {
    const host = parseHostPort(peer)?.host ?? LOOPBACK;
    return host !== "localhost" && !isLoopback(host);
  });
}

function loopbackWarning(host: string): string | null {
  if (host !== "localhost" && !isLoopback(host)) return null;
  return `The peer port listens on ${host} only: nodes on other machines can not reach it. Set peer-bind.`;
}

function isLoopback(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 6 ? "ipv6" : "ipv4");
}

/** An IPv6 address can be written in many ways. */
function canonical(address: string): string {
  return isIPv6(address) && !address.includes("%")
    ? new SocketAddress({ address, family: "ipv6" }).address
    : address;
}
