/**
 * A certificate proves itself before it serves: a handshake within this process, through the same OpenSSL that will speak
 * to everybody, shows that it can be shown at all (S33). Nothing goes over a network.
 */
import type { X509Certificate } from "node:crypto";
import { duplexPair } from "node:stream";
import { connect, createServer, type SecureContextOptions, type TLSSocket } from "node:tls";
import { PROOF_TIMEOUT_MS } from "./limits.ts";

export interface Proof {
  readonly contextOptions: Pick<SecureContextOptions, "cert" | "key" | "ca">;
  /** What a client has to be shown. */
  readonly certificate: X509Certificate;
  /** Both sides show it, and both verify the other up to the authorities: as peers do. */
  readonly isMutual: boolean;
}

/** Null: it works. Else what OpenSSL says. Never throws. */
export async function proveByHandshake(proof: Proof): Promise<string | null> {
  const { contextOptions, certificate, isMutual } = proof;
  const sockets: TLSSocket[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    const [near, far] = duplexPair();
    const server = createServer({
      ...contextOptions,
      requestCert: isMutual,
      rejectUnauthorized: isMutual,
    });
    const accepted = Promise.withResolvers<TLSSocket>();
    server.on("secureConnection", accepted.resolve);
    server.on("tlsClientError", accepted.reject);
    server.emit("connection", far);
    const client = connect({
      socket: near,
      ...(isMutual ? contextOptions : {}),
      rejectUnauthorized: isMutual,
      // Names are the business of those who connect: here it is only this certificate, by its bytes.
      checkServerIdentity: () => undefined,
    });
    sockets.push(client);
    const connected = Promise.withResolvers<void>();
    client.on("secureConnect", connected.resolve);
    client.on("error", connected.reject);
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("the handshake takes too long")), PROOF_TIMEOUT_MS);
    });
    const both = Promise.all([accepted.promise, connected.promise]);
    const [serverSide] = await Promise.race([both, late]);
    sockets.push(serverSide);
    serverSide.on("error", () => undefined);
    const shown = client.getPeerX509Certificate();
    if (shown?.raw.equals(certificate.raw) === true) return null;
    return "another certificate than the one in the file was shown";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
    for (const socket of sockets) socket.destroy();
  }
}
