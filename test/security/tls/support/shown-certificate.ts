/** Which certificate a port shows to whoever comes, whether it would let them in or not. */
import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";

/** The fingerprint (SHA-256 as X509Certificate has it) of what a new connection to 127.0.0.1 is shown. */
export function shownBy(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
    socket.once("secureConnect", () => {
      const shown = socket.getPeerX509Certificate();
      socket.destroy();
      if (shown === undefined) reject(new Error("no certificate was shown"));
      else resolve(shown.fingerprint256);
    });
    socket.on("error", reject);
  });
}

export function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}
