/** Takes announced addresses apart for tools that want host and port in fields of their own. */

/** `host:port` or `[v6]:port`; a text without a port gives port 0. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  if (colon < 0) return { host: address, port: 0 };
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  const port = Number(address.slice(colon + 1));
  return { host, port: Number.isInteger(port) ? port : 0 };
}
