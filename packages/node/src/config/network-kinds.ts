/** The kinds of values that name machines: node names, addresses, ports and the list of peers. */
import { parseHostPort } from "./host-port.ts";
import { accept, integer, refuse, type ValueKind } from "./value-kinds.ts";

/** A node's name: what a DNS name of a certificate can hold. Null when empty. */
export const nodeName: ValueKind<string | null> = {
  label: "name",
  range: "letters, digits, `.`, `_`, `-`; at most 253",
  manyWords: false,
  parse(value) {
    if (value === "") return accept(null);
    return isNodeName(value)
      ? accept(value)
      : refuse("argument must be a name of letters, digits, '.', '_' and '-'");
  },
  print: (value) => value ?? "",
};

export function isNodeName(value: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/.test(value);
}

/** `host:port`. Null when empty. */
export const hostPort: ValueKind<string | null> = {
  label: "host:port",
  range: "",
  manyWords: false,
  parse(value) {
    if (value === "") return accept(null);
    return parseHostPort(value) === null
      ? refuse("argument must be host:port (an IPv6 address in brackets: [::1]:7000)")
      : accept(value);
  },
  print: (value) => value ?? "",
};

/** A URL of one of these protocols, with a host and without credentials (a secret has a setting of its own). Null when empty. */
export function webUrl(protocols: readonly string[]): ValueKind<string | null> {
  const forms = protocols.map((protocol) => `${protocol}//host`).join(" or ");
  return {
    label: protocols.map((protocol) => `\`${protocol}//...\``).join(" or "),
    range: "",
    manyWords: false,
    parse(value) {
      if (value === "") return accept(null);
      const url = URL.parse(value);
      if (url === null || !protocols.includes(url.protocol) || url.hostname === "") {
        return refuse(`argument must be ${forms}`);
      }
      if (url.username !== "" || url.password !== "") {
        return refuse("argument must not hold a user or a password");
      }
      return accept(value);
    },
    print: (value) => value ?? "",
  };
}

/** A port, or null for the word that stands for none: empty for one that is derived, `no` for one that is off. */
export function optionalPort(none: "" | "no"): ValueKind<number | null> {
  const port = integer({ min: 0, max: 65535 });
  return {
    label: none === "" ? "port" : "port or `no`",
    range: port.range,
    manyWords: false,
    parse: (value) => (value.toLowerCase() === none ? accept(null) : port.parse(value)),
    print: (value) => (value === null ? none : String(value)),
  };
}

/** One interface to listen on. */
export const listenAddress: ValueKind<string> = {
  label: "address",
  range: "",
  manyWords: false,
  parse: (value) =>
    isAddress(value)
      ? accept(value === "*" ? "0.0.0.0" : value)
      : refuse("argument must be one address or host name, without a port"),
  print: (value) => value,
};

/** The same, or null when empty: found out when the node starts. */
export const optionalListenAddress: ValueKind<string | null> = {
  ...listenAddress,
  parse: (value) => (value === "" ? accept(null) : listenAddress.parse(value)),
  print: (value) => value ?? "",
};

/** An interface of the RESP listener. Optional ones (`-::1` in Redis' syntax) may be missing on this machine. */
export interface BindAddress {
  readonly address: string;
  readonly optional: boolean;
}

/** Interfaces in Redis' syntax: `127.0.0.1 -::1`; `*` stands for every IPv4 address, `::*` for every IPv6 one. */
export const bindAddresses: ValueKind<readonly BindAddress[]> = {
  label: "addresses",
  range: "1 to 16",
  manyWords: true,
  parse(value) {
    const words = splitList(value);
    if (words.length === 0 || words.length > 16)
      return refuse("argument must be 1 to 16 addresses");
    const addresses: BindAddress[] = [];
    for (const word of words) {
      const optional = word.startsWith("-");
      const bare = optional ? word.slice(1) : word;
      const address = bare === "*" ? "0.0.0.0" : bare === "::*" ? "::" : bare;
      if (!isAddress(address)) return refuse(`"${word}" is not an address to listen on`);
      addresses.push({ address, optional });
    }
    return accept(addresses);
  },
  print: (value) =>
    value.map((entry) => (entry.optional ? `-${entry.address}` : entry.address)).join(" "),
};

/** The same, or null when empty: what another listener has. */
export const optionalBindAddresses: ValueKind<readonly BindAddress[] | null> = {
  ...bindAddresses,
  parse: (value) => (value === "" ? accept(null) : bindAddresses.parse(value)),
  print: (value) => (value === null ? "" : bindAddresses.print(value)),
};

function isAddress(value: string): boolean {
  return (
    value === "*" ||
    /^[A-Za-z0-9_.-]{1,253}$/.test(value) ||
    /^[0-9a-fA-F:.]+(%[\w.-]+)?$/.test(value)
  );
}

/** A member of the cluster to form. */
export interface PeerAddress {
  readonly name: string;
  readonly address: string;
}

/** More members than this do not make a cluster safer, only slower. */
const PEERS_MAX = 15;

/** `name=host:port`, separated by commas or blanks. */
export const peerList: ValueKind<readonly PeerAddress[]> = {
  label: "`name=host:port,...`",
  range: `at most ${PEERS_MAX}`,
  manyWords: true,
  parse(value) {
    const peers: PeerAddress[] = [];
    for (const word of splitList(value)) {
      const at = word.indexOf("=");
      const name = word.slice(0, Math.max(at, 0));
      const address = word.slice(at + 1);
      if (!isNodeName(name) || parseHostPort(address) === null) {
        return refuse(`"${word}" is not name=host:port`);
      }
      if (peers.some((peer) => peer.name === name)) return refuse(`"${name}" is named twice`);
      if (peers.some((peer) => peer.address === address)) {
        return refuse(`${address} is given to two peers`);
      }
      peers.push({ name, address });
    }
    return peers.length > PEERS_MAX ? refuse(`at most ${PEERS_MAX} peers`) : accept(peers);
  },
  print: (value) => value.map((peer) => `${peer.name}=${peer.address}`).join(","),
};

function splitList(value: string): string[] {
  return value.split(/[\s,]+/).filter((word) => word !== "");
}
