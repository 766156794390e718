/** What can go wrong when certificates are made. The message is complete: it says what to do. */
export type CertificateErrorCode =
  /** A name, host or number of days that can not be used. */
  | "badArgument"
  /** A file to be written exists and overwriting was not asked for. */
  | "fileExists"
  /** The certificate authority's files are missing, unreadable or do not belong together. */
  | "badAuthority"
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
