/** One attempt to be served over TLS: what a client is told, whichever side of the handshake it is told on. */
import { connect, type ConnectionOptions } from "node:tls";

const TIMEOUT_MS = 20_000;

/**
 * Connects and sends PING. The first line that is answered ("+PONG", "-NOAUTH ..."), else OpenSSL's code of the alert
 * ("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"), else "closed". With TLS 1.3 a client is done before the server has
 * looked at its certificate, so that a refusal may come after the handshake.
 */
export function attempt(
  port: number,
  options: ConnectionOptions,
  request: string = "PING\r\n",
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", ...options, port });
    const timer = setTimeout(() => {
      reject(new Error(`nothing within ${TIMEOUT_MS} ms`));
      socket.destroy();
    }, TIMEOUT_MS);
    let received = "";
    const settle = (outcome: string): void => {
      clearTimeout(timer);
      resolve(outcome);
      socket.destroy();
    };
    socket.on("secureConnect", () => socket.write(request));
    socket.on("data", (bytes: Buffer) => {
      received += bytes.toString("latin1");
      const end = received.indexOf("\r\n");
      if (end >= 0) settle(received.slice(0, end));
    });
    socket.on("error", (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
    socket.on("close", () => settle("closed"));
  });
}

/** What a client is told whose certificate is not taken: an alert, an answer in words, or nothing more than the end. */
export const REFUSED: RegExp =
  /^(ERR_SSL_|ECONNRESET$|EPIPE$|closed$|-ERR TLS client certificate refused: |-NOAUTH )/;
