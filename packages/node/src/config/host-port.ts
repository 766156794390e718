/** A name or address and a TCP port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `host:port`, `10.0.0.1:7000` or `[::1]:7000`; null when it is not one of them. An IPv6 address needs its
 * brackets, else nobody can tell where it ends.
 */
export function parseHostPort(text: string): HostPort | null {
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([^\s:[\]/@]+)):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const host = match[1] ?? match[2] ?? "";
  const port = Number(match[3]);
  return port > 65535 ? null : { host, port };
}

/** The text form of an address, with brackets around IPv6. */
export function formatHostPort(address: HostPort): string {
  return address.host.includes(":")
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
}
