/** The certificates that the other side of a connection has shown, also on a session that was resumed. */
import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { PRESENTED_MAX } from "./limits.ts";

/**
 * Leaf first; empty when none was shown. A resumed session has its leaf only: what stood between it and the authority was
 * remembered when it was made (chain-memory.ts).
 */
export function presentedChain(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<string>();
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && chain.length < PRESENTED_MAX && !seen.has(next.fingerprint256)) {
    seen.add(next.fingerprint256);
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}
