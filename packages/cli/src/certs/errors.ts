/** What can go wrong when certificates are made. The message is complete: it says what to do. */
export type CertificateErrorCode =
  /** A name, host or number of days that can not be used. */
  | "badArgument"
  /** A file to be written exists and overwriting was not asked for. */
  | "fileExists"
  /** The certificate authority's files are missing, unreadable or do not belong together. */
  | "badAuthority"
  /** A file that should hold a certificate holds something else. */
  | "badCertificate"
  /** A file that should hold a private key holds something else. */
  | "badKey"
  /** A key is encrypted, and its passphrase is missing or wrong. */
  | "badPassphrase"
  /** The list of what the authority has issued can not be used. */
  | "badIndex"
  /** There is no such certificate. */
  | "notFound"
  /** Another program works in the same directory. */
  | "busy"
  /** The operating system refused to write or read. */
  | "fileSystem";

export class CertificateError extends Error {
  readonly code: CertificateErrorCode;

  constructor(code: CertificateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CertificateError";
    this.code = code;
  }
}
