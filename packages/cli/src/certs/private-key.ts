/** Private keys as PEM text, with a passphrase where one is wanted: PKCS 8, AES-256-CBC, PBKDF2. */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { CertificateError } from "./errors.ts";

const CIPHER = "aes-256-cbc";

/** Whether this PEM text is of a key that a passphrase protects. */
export function isEncrypted(pem: string): boolean {
  // The second form is the older one of OpenSSL, with a header inside.
  return /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(pem);
}

/** The same key, protected by a passphrase; null leaves it as it is. */
export function encryptKey(pem: string, passphrase: string | null): string {
  if (passphrase === null) return pem;
  const key = createPrivateKey(pem);
  return key.export({ type: "pkcs8", format: "pem", cipher: CIPHER, passphrase }) as string;
}

/**
 * Reads a key. `where` names it in errors, which never hold anything of its text.
 * @throws CertificateError badPassphrase, badKey
 */
export function openPrivateKey(pem: string, passphrase: string | null, where: string): KeyObject {
  const encrypted = isEncrypted(pem);
  if (encrypted && passphrase === null) {
    throw new CertificateError("badPassphrase", `${where} is encrypted: its passphrase is needed.`);
  }
  try {
    return createPrivateKey(encrypted ? { key: pem, passphrase: passphrase ?? "" } : pem);
  } catch (cause) {
    if (encrypted) {
      throw new CertificateError("badPassphrase", `The passphrase of ${where} is wrong.`, {
        cause,
      });
    }
    throw new CertificateError("badKey", `${where} is not a private key in PEM.`, { cause });
  }
}
