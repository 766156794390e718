/** TLS for clients of a node: the certificates in force handed to the RESP server and to HTTP. */
import type { Settings } from "../config/settings.ts";
import type { HttpTls } from "../http/http-server.ts";
import { serverContextOptions, TLS_CONTEXT_FIELDS } from "../server/tls-context.ts";
import type { TlsServiceOptions } from "../server/tls-service.ts";
import type { NodeAccess } from "./node-access.ts";
import type { NodeCertificates } from "./node-certificates.ts";

/** Certificates for clients, and whom they name; nothing where the node has none. */
export function clientTls(
  { clients: credentials }: NodeCertificates,
  { access }: NodeAccess,
): { readonly tls?: TlsServiceOptions } {
  return credentials === null ? {} : { tls: { credentials, logins: access.certificates } };
}

/** What HTTP over TLS needs, or null: it is off. */
export function httpTls(
  settings: Settings,
  { clients: credentials }: NodeCertificates,
): HttpTls | null {
  const { httpTls: isOn, tlsHandshakeTimeoutMs: handshakeTimeoutMs } = settings.current();
  if (!isOn || credentials === null) return null;
  return {
    context: () => serverContextOptions(settings.current(), credentials.current()),
    onChange(listener) {
      const endings = [
        credentials.onChange(listener),
        settings.onChange((_config, changed) => {
          if (TLS_CONTEXT_FIELDS.some((field) => changed.has(field))) listener();
        }),
      ];
      return () => {
        for (const end of endings) end();
      };
    },
    handshakeTimeoutMs,
  };
}
