/** Why files of certificates are not taken. Each sentence names the setting, the file and what to do. */

/** Stable names of what can be wrong with files of certificates. */
export type CertificateErrorCode =
  /** The file or directory is not there. */
  | "missingFile"
  /** It is there and can not be read. */
  | "unreadable"
  /** It is a directory where a file is wanted, or a file where a directory is. */
  | "wrongKind"
  | "empty"
  | "tooLarge"
  /** No certificate in a form that is understood, or one that is cut off. */
  | "malformedCertificate"
  | "malformedKey"
  /** The key is encrypted and no passphrase was given. */
  | "passphraseMissing"
  | "passphraseWrong"
  /** The key is not that of the certificate. */
  | "keyMismatch"
  | "expired"
  | "notYetValid"
  /** The extended key usage does not allow what the certificate is used for. */
  | "wrongUse"
  /** The certificate does not have the name that it needs. */
  | "wrongName"
  /** A key or a signature that can be broken. */
  | "weak"
  /** The certificate does not lead to one of the authorities. */
  | "untrusted"
  /** A file of authorities holds what is none, or none that can be used. */
  | "badAuthority"
  | "badRevocationList"
  /** Everything looks right, and a handshake with it fails. */
  | "handshakeFailed";

/** One thing that is wrong, as a sentence. */
export interface CertificateProblem {
  readonly code: CertificateErrorCode;
  readonly text: string;
}

/** The files of one use can not be taken. `problems` has all that was found, the message the sentences. */
export class CertificateError extends Error {
  readonly code: CertificateErrorCode;
  readonly problems: readonly CertificateProblem[];

  constructor(problems: readonly [CertificateProblem, ...CertificateProblem[]]) {
    super(problems.map(({ text }) => text).join(" Also: "));
    this.name = "CertificateError";
    this.code = problems[0].code;
    this.problems = problems;
  }
}

/** Shorthand for the usual case: one thing is wrong. */
export function certificateError(code: CertificateErrorCode, text: string): CertificateError {
  return new CertificateError([{ code, text }]);
}

/**
 * What a file that somebody is still writing can look like: certificate and key are two files, and tools write one after
 * the other. Waiting a little mends these, and none of the others.
 */
const HALF_WRITTEN: ReadonlySet<CertificateErrorCode> = new Set([
  "missingFile",
  "empty",
  "malformedCertificate",
  "malformedKey",
  "passphraseMissing",
  "passphraseWrong",
  "keyMismatch",
  "untrusted",
  "badAuthority",
  "badRevocationList",
]);

/** Whether all that is wrong may be gone in a moment. */
export function mayBeHalfWritten(error: CertificateError): boolean {
  return error.problems.every(({ code }) => HALF_WRITTEN.has(code));
}
