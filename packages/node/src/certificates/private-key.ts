/** Opens the key of a certificate: PKCS #8, PKCS #1 or SEC 1, encrypted or not. */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { certificateError } from "./errors.ts";
import { isDer, pemBlocks } from "./pem.ts";
import { nameOf, type RawFile } from "./read-files.ts";

/**
 * @throws CertificateError malformedKey, passphraseMissing, passphraseWrong. Neither key nor passphrase is in the message
 *   or in its cause.
 */
export function openPrivateKey(
  file: RawFile,
  passphraseFile: RawFile | null,
  passphraseSetting: string,
): KeyObject {
  if (isDer(file.bytes)) {
    const text = `${nameOf(file)} is in DER form; PEM is wanted: openssl pkey -inform der`;
    throw certificateError("malformedKey", text);
  }
  const blocks = pemBlocks(file.bytes);
  if (blocks === null) {
    const text = `${nameOf(file)} is cut off: a block begins in it that does not end.`;
    throw certificateError("malformedKey", text);
  }
  const key = blocks.find(({ label }) => label.endsWith("PRIVATE KEY"));
  if (key === undefined) {
    const holds = blocks.length === 0 ? "" : ` (it holds: ${blocks[0].label.toLowerCase()})`;
    throw certificateError("malformedKey", `${nameOf(file)} holds no private key${holds}.`);
  }
  const isEncrypted =
    key.label === "ENCRYPTED PRIVATE KEY" || /^Proc-Type:.*ENCRYPTED/m.test(key.text);
  if (!isEncrypted) return parse(file, key.text);
  if (passphraseFile === null) {
    const text = `${nameOf(file)} is encrypted: put its passphrase into a file and set ${passphraseSetting}.`;
    throw certificateError("passphraseMissing", text);
  }
  return decrypt(file, key.text, passphraseFile);
}

function parse(file: RawFile, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    const text = `${nameOf(file)} is damaged, or a kind of key that is not known here.`;
    throw certificateError("malformedKey", text);
  }
}

/** The first line counts, as with OpenSSL's `-passin file:`; an editor's line end is not part of it. */
function decrypt(file: RawFile, pem: string, passphraseFile: RawFile): KeyObject {
  const passphrase = passphraseFile.bytes.toString("utf8").split("\n", 1)[0].replace(/\r$/, "");
  try {
    return createPrivateKey({ key: pem, passphrase });
  } catch {
    const text = `${nameOf(file)} can not be opened with the passphrase in ${nameOf(passphraseFile)}.`;
    throw certificateError("passphraseWrong", text);
  }
}
