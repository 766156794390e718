/** Why a connection to a node did not bring an answer, in words that say what to do. */

/** What Node and OpenSSL call the ways in which a handshake fails. */
const TLS_PROBLEMS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT:
    "its certificate is signed by nobody but itself; name it with --cacert",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not signed by --cacert",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not signed by --cacert",
  UNABLE_TO_GET_ISSUER_CERT: "its certificate is not signed by --cacert",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not signed by --cacert",
  CERT_SIGNATURE_FAILURE: "its certificate is not signed by --cacert",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet: look at the clocks",
  INVALID_PURPOSE: "its certificate is not that of a server",
  ERR_SSL_WRONG_VERSION_NUMBER: "the port does not speak TLS (that of tls-port does)",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "the port does not speak TLS (that of tls-port does)",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    "it wants a certificate of ours: give it with --cert and --key",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "it does not know the authority of our certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "our certificate has expired",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: "our certificate is revoked",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "it does not take our certificate",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "it does not take our certificate",
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: "our certificate is not that of a client",
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: "it does not take our certificate",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "it speaks no version of TLS that we do",
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    "there is no cipher that both of us speak, or it wants a certificate of ours (--cert, --key)",
  ERR_OSSL_PEM_NO_START_LINE: "a file for TLS is not PEM",
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: "--key is not the key of --cert",
  ERR_OSSL_BAD_DECRYPT: "the passphrase of --key is wrong",
};

/** `isTls`: the connection was to be one over TLS. */
export function connectionProblem(error: unknown, isTls = false): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  const tls = TLS_PROBLEMS[code];
  if (tls !== undefined) return tls;
  switch (code) {
    case "ECONNREFUSED":
    case "ENOENT":
      return "nobody listens there";
    case "ENOTFOUND":
      return "there is no such host";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `its certificate does not cover the name it was asked by (${namesOf(error)}); give one it covers with --sni`;
    case "ECONNRESET":
      return isTls
        ? "the connection was cut (does the port speak TLS? does it take our certificate?)"
        : "the connection was cut (does the port speak Redis' protocol without TLS? else give --tls)";
    default:
      return message;
  }
}

/** The names that the certificate does cover. */
function namesOf(error: unknown): string {
  const { cert } = error as { readonly cert?: { readonly subjectaltname?: string } };
  const names = cert?.subjectaltname;
  return names === undefined || names === "" ? "it has no names" : `it has ${names}`;
}
