/** Opens the connection to a node: plain, over TLS, or to its Unix socket. */
import { connect, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type PeerCertificate } from "node:tls";
import type { TlsSettings } from "./tls-options.ts";

export type NodeAddress =
  | {
      readonly host: string;
      readonly port: number;
      /** The member's name, which its certificate covers where it does not cover the host. */
      readonly memberName?: string;
    }
  | { readonly path: string };

export interface OpeningSocket {
  readonly socket: Socket;
  /** Emitted when data may be sent: with TLS only once the other side is known. */
  readonly ready: "connect" | "secureConnect";
}

/** @throws Error at once for a certificate, key or passphrase that OpenSSL does not take */
export function openSocket(address: NodeAddress, tls: TlsSettings | null): OpeningSocket {
  if ("path" in address) return { socket: connect({ path: address.path }), ready: "connect" };
  const { host, port, memberName } = address;
  if (tls === null) return { socket: connect({ host, port }), ready: "connect" };
  const names = tls.serverName === null ? [host, memberName] : [tls.serverName];
  const accepted = names.filter((name) => name !== undefined && name !== "") as string[];
  const asked = accepted.find((name) => isIP(name) === 0);
  const socket = connectTls({
    ...tls.context,
    host,
    port,
    minVersion: "TLSv1.2",
    rejectUnauthorized: tls.verify,
    ...(asked === undefined ? {} : { servername: asked }),
    checkServerIdentity: (_host, certificate) => anyNameCovered(accepted, certificate),
  });
  return { socket, ready: "secureConnect" };
}

/** The error of the first name when none of them is covered. */
function anyNameCovered(names: readonly string[], certificate: PeerCertificate): Error | undefined {
  const errors = names.map((name) => checkServerIdentity(name, certificate));
  return errors.includes(undefined) ? undefined : errors[0];
}
