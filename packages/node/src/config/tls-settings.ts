/** The settings of TLS for clients, HTTP and peers: a part of the table in schema.ts. What they mean together: tls-files.ts. */
import type { NodeConfig } from "./node-config.ts";
import { optionalBindAddresses, optionalPort, type BindAddress } from "./network-kinds.ts";
import type { Setting } from "./setting.ts";
import {
  certificateUserMap,
  cipherList,
  ciphersuiteList,
  dayList,
  sanPatterns,
  tlsProtocols,
} from "./tls-kinds.ts";
import { choice, integer, path, yesNo } from "./value-kinds.ts";

type TlsField =
  | "tlsAuthClients"
  | "tlsAuthClientsUser"
  | "tlsAuthClientsUserMap"
  | "tlsCaCertDirectory"
  | "tlsCaCertFile"
  | "tlsCertFile"
  | "tlsCiphers"
  | "tlsCiphersuites"
  | "tlsCloseExpired"
  | "tlsCrlFile"
  | "tlsCrlStale"
  | "tlsHandshakeTimeoutMs"
  | "tlsKeyFile"
  | "tlsKeyPassphraseFile"
  | "tlsPort"
  | "tlsPreferServerCiphers"
  | "tlsProtocols"
  | "tlsReloadIntervalSeconds"
  | "tlsSessionCaching"
  | "tlsSessionCacheTimeoutSeconds"
  | "tlsExpiryWarningDays"
  | "requireTls"
  | "httpTls"
  | "peerTlsCertFile"
  | "peerTlsKeyFile"
  | "peerTlsKeyPassphraseFile"
  | "peerTlsCaCertFile"
  | "peerTlsCaCertDirectory"
  | "peerTlsCrlFile"
  | "peerAllowedSan";

const DAY_SECONDS = 86_400;
const MINUTE_MS = 60_000;

export const TLS_SETTINGS: {
  readonly [Field in TlsField]: Setting<NodeConfig[Field]>;
} & { readonly tlsBind: Setting<readonly BindAddress[] | null> } = {
  tlsPort: {
    name: "tls-port",
    group: "tls",
    kind: optionalPort("no"),
    defaultText: "no",
    defaultMeaning: "6380 when tls-cert-file is set, else off",
    about:
      "TCP port for Redis clients over TLS. 0 picks a free one when there is a certificate, `no` turns it off.",
    common: true,
  },
  tlsBind: {
    name: "tls-bind",
    group: "tls",
    kind: optionalBindAddresses,
    defaultText: "",
    defaultMeaning: "those of bind",
    about: "Interfaces that Redis clients connect to over TLS.",
  },
  tlsCertFile: {
    name: "tls-cert-file",
    group: "tls",
    kind: path,
    defaultText: "",
    about:
      "The certificate that clients are shown (PEM), with the certificates between it and its authority. The peer and HTTP ports use it too unless they have their own.",
    live: true,
    common: true,
    environmentAliases: ["TLS_CERT_FILE"],
  },
  tlsKeyFile: {
    name: "tls-key-file",
    group: "tls",
    kind: path,
    defaultText: "",
    about: "The key of tls-cert-file (PEM).",
    live: true,
    common: true,
    environmentAliases: ["TLS_KEY_FILE"],
  },
  tlsKeyPassphraseFile: {
    name: "tls-key-passphrase-file",
    group: "tls",
    kind: path,
    defaultText: "",
    defaultMeaning: "the key has none",
    about: "A file whose first line is the passphrase of tls-key-file.",
    live: true,
  },
  tlsCaCertFile: {
    name: "tls-ca-cert-file",
    group: "tls",
    kind: path,
    defaultText: "",
    about:
      "The authorities that may have signed the certificates of clients (PEM). With it clients have to show one, unless tls-auth-clients says otherwise.",
    live: true,
    common: true,
    environmentAliases: ["TLS_CA_FILE"],
  },
  tlsCaCertDirectory: {
    name: "tls-ca-cert-dir",
    group: "tls",
    kind: path,
    defaultText: "",
    about:
      "A directory of which every .pem, .crt and .cer file is an authority, besides tls-ca-cert-file.",
    live: true,
  },
  tlsAuthClients: {
    name: "tls-auth-clients",
    group: "tls",
    kind: choice(["yes", "no", "optional"]),
    defaultText: "yes",
    about:
      "Whether clients have to show a certificate of the authorities: yes, no (they are not asked), or optional (one that is shown has to be good). Without authorities nobody is asked.",
    live: true,
    common: true,
  },
  tlsAuthClientsUser: {
    name: "tls-auth-clients-user",
    group: "tls",
    kind: choice(["off", "CN", "SAN-URI", "SAN-DNS", "SAN-EMAIL"], {
      cn: "CN",
      "san-uri": "SAN-URI",
      "san-dns": "SAN-DNS",
      "san-email": "SAN-EMAIL",
    }),
    defaultText: "off",
    about:
      "The name in a client's certificate that is its user. There has to be exactly one, of a user who exists; else the client is refused.",
    live: true,
    common: true,
  },
  tlsAuthClientsUserMap: {
    name: "tls-auth-clients-user-map",
    group: "tls",
    kind: certificateUserMap,
    defaultText: "",
    defaultMeaning: "the name in the certificate is the user's",
    about:
      "Which user a name in a certificate stands for: `name=user`, or `prefix*=user` for all names that begin so. The first rule that fits counts; a name that none fits is the user's own name.",
    live: true,
  },
  tlsProtocols: {
    name: "tls-protocols",
    group: "tls",
    kind: tlsProtocols,
    defaultText: "TLSv1.2 TLSv1.3",
    about:
      "Versions of TLS for clients and HTTP. Older ones than 1.2 do not exist here. Peers use 1.3 only.",
    live: true,
  },
  tlsCiphers: {
    name: "tls-ciphers",
    group: "tls",
    kind: cipherList,
    defaultText: "",
    defaultMeaning: "those with forward secrecy and authenticated encryption",
    about: "Ciphers of TLS 1.2, in OpenSSL's words.",
    live: true,
  },
  tlsCiphersuites: {
    name: "tls-ciphersuites",
    group: "tls",
    kind: ciphersuiteList,
    defaultText: "",
    defaultMeaning: "all three of TLS 1.3 that there are",
    about: "Cipher suites of TLS 1.3, in OpenSSL's words.",
    live: true,
  },
  tlsPreferServerCiphers: {
    name: "tls-prefer-server-ciphers",
    group: "tls",
    kind: yesNo,
    defaultText: "no",
    about: "Whether the order of the server counts when a cipher is chosen, or the client's.",
    live: true,
  },
  tlsSessionCaching: {
    name: "tls-session-caching",
    group: "tls",
    kind: yesNo,
    defaultText: "yes",
    about:
      "Whether clients that come again may resume their session. Certificates are looked at each time, and a change of authorities or revocations ends all sessions.",
    live: true,
  },
  tlsSessionCacheTimeoutSeconds: {
    name: "tls-session-cache-timeout",
    group: "tls",
    kind: integer({ min: 1, max: DAY_SECONDS }),
    defaultText: "300",
    about: "Seconds for which a session can be resumed.",
    live: true,
  },
  tlsHandshakeTimeoutMs: {
    name: "tls-handshake-timeout-ms",
    group: "tls",
    kind: integer({ min: 100, max: 10 * MINUTE_MS }),
    defaultText: "10000",
    about: "A client that has not finished the handshake by then is disconnected.",
    live: true,
  },
  requireTls: {
    name: "require-tls",
    group: "tls",
    kind: yesNo,
    defaultText: "no",
    about:
      "Whether the plain port refuses every command but PING, HELLO without AUTH, and QUIT: it stays for health checks. The Unix socket is not concerned.",
    live: true,
    common: true,
    alsoNamed: ["require_tls"],
  },
  tlsCrlFile: {
    name: "tls-crl-file",
    group: "tls",
    kind: path,
    defaultText: "",
    defaultMeaning: "nothing is revoked",
    about:
      "Certificate revocation lists of the authorities (PEM or DER). Connections of certificates that come onto a list are closed within a second.",
    live: true,
  },
  tlsCrlStale: {
    name: "tls-crl-stale",
    group: "tls",
    kind: choice(["accept", "refuse"]),
    defaultText: "accept",
    about:
      "What happens when a revocation list is past its next update, or one of several authorities has none. accept: the list counts as it is, and an alarm is raised. refuse: certificates of that authority are refused until there is a fresh one. The same for peers.",
    live: true,
  },
  tlsCloseExpired: {
    name: "tls-close-expired",
    group: "tls",
    kind: yesNo,
    defaultText: "yes",
    about:
      "Whether a connection ends when the certificate expires that it was made with. The same for peers.",
    live: true,
  },
  tlsReloadIntervalSeconds: {
    name: "tls-reload-interval",
    group: "tls",
    kind: integer({ min: 0, max: DAY_SECONDS }),
    defaultText: "60",
    about:
      "Seconds after which the files of certificates are looked at even when no change was noticed. 0 leaves it at noticing, SIGHUP and CONFIG SET.",
    live: true,
  },
  tlsExpiryWarningDays: {
    name: "tls-expiry-warning-days",
    group: "tls",
    kind: dayList,
    defaultText: "30 7 1",
    about: "Days before the end of a certificate at which a warning is given.",
    live: true,
  },
  httpTls: {
    name: "http-tls",
    group: "observability",
    kind: yesNo,
    defaultText: "no",
    about:
      "Whether the HTTP port speaks TLS, with tls-cert-file. Certificates of clients are not asked for there.",
  },
  peerTlsCertFile: {
    name: "peer-tls-cert-file",
    group: "cluster",
    kind: path,
    defaultText: "",
    defaultMeaning: "tls-cert-file",
    about:
      "This node's certificate (PEM). Required with peers: nodes talk to each other over mutual TLS only.",
    live: true,
    common: true,
  },
  peerTlsKeyFile: {
    name: "peer-tls-key-file",
    group: "cluster",
    kind: path,
    defaultText: "",
    defaultMeaning: "tls-key-file",
    about: "The key of this node's certificate (PEM).",
    live: true,
    common: true,
  },
  peerTlsKeyPassphraseFile: {
    name: "peer-tls-key-passphrase-file",
    group: "cluster",
    kind: path,
    defaultText: "",
    defaultMeaning: "that of tls-key-file, when that is the key",
    about: "A file whose first line is the passphrase of peer-tls-key-file.",
    live: true,
  },
  peerTlsCaCertFile: {
    name: "peer-tls-ca-cert-file",
    group: "cluster",
    kind: path,
    defaultText: "",
    defaultMeaning: "tls-ca-cert-file",
    about: "The authorities that may have signed the certificates of the nodes (PEM).",
    live: true,
    common: true,
  },
  peerTlsCaCertDirectory: {
    name: "peer-tls-ca-cert-dir",
    group: "cluster",
    kind: path,
    defaultText: "",
    defaultMeaning: "that of tls-ca-cert-dir, when peers have no authorities of their own",
    about: "A directory of which every .pem, .crt and .cer file is an authority for peers.",
    live: true,
  },
  peerTlsCrlFile: {
    name: "peer-tls-crl-file",
    group: "cluster",
    kind: path,
    defaultText: "",
    defaultMeaning: "tls-crl-file, when peers have no authorities of their own",
    about: "Certificate revocation lists for the certificates of nodes (PEM or DER).",
    live: true,
  },
  peerAllowedSan: {
    name: "peer-allowed-san",
    group: "cluster",
    kind: sanPatterns,
    defaultText: "",
    defaultMeaning: "certificates have to cover the node's name",
    about:
      "Patterns of a DNS or URI name of which a node's certificate has to have one, such as `*.ferrite.svc.cluster.local` or `spiffe://example.org/ferrite/*`, for certificates that do not hold the node's name. `*` stands for one label or path segment. `{name}` stands for the node's name.",
    live: true,
  },
};
