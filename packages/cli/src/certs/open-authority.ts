/** Opens the authority of a directory for signing, asking for its passphrase where it has one. */
import { X509Certificate } from "node:crypto";
import { shortPath } from "../terminal/short-path.ts";
import { readPasswordFile } from "../connection/password-file.ts";
import type { World } from "../world.ts";
import { openAuthority, type CertificatePair, type SigningAuthority } from "./authority.ts";
import { readIfThere } from "./certificate-files.ts";
import { layoutOf, type DirectoryLayout } from "./directory-layout.ts";
import { CertificateError } from "./errors.ts";
import { isEncrypted, openPrivateKey } from "./private-key.ts";

export interface OpenedAuthority {
  readonly layout: DirectoryLayout;
  /** With the key as it is without a passphrase: for memory only. */
  readonly pair: CertificatePair;
  readonly signer: SigningAuthority;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly fingerprint: string;
}

/** @throws CertificateError badAuthority, badPassphrase, fileSystem; CliError for an unusable passphrase file */
export async function openAuthorityIn(
  world: World,
  directory: string,
  passphraseFile: string | undefined,
): Promise<OpenedAuthority> {
  const layout = layoutOf(directory);
  const { certFile, keyFile } = layout.authority;
  const certificatePem = await readAuthorityFile(world, certFile, directory);
  const keyPem = await readAuthorityFile(world, keyFile, directory);
  const passphrase = await passphraseOf(world, { keyFile, keyPem, passphraseFile });
  const key = openPrivateKey(keyPem, passphrase, shortPath(world.workingDirectory, keyFile));
  const privateKeyPem = key.export({ type: "pkcs8", format: "pem" }) as string;
  const pair = { certificatePem, privateKeyPem };
  const signer = await openAuthority(pair);
  return { layout, pair, signer, fingerprint: fingerprintOf(certificatePem) };
}

export function fingerprintOf(certificatePem: string): string {
  return new X509Certificate(certificatePem).fingerprint256.replaceAll(":", "").toLowerCase();
}

async function readAuthorityFile(world: World, path: string, directory: string): Promise<string> {
  const bytes = await readIfThere(path);
  if (bytes !== null) return bytes.toString("utf8");
  const [file, folder] = [path, directory].map((each) => shortPath(world.workingDirectory, each));
  throw new CertificateError(
    "badAuthority",
    `There is no ${file}. Make the authority first: ferrite certs init --out ${folder}. ` +
      "Where it is kept elsewhere, name its directory with --ca-dir; with a key that was thrown away nothing can be signed.",
  );
}

async function passphraseOf(
  world: World,
  authority: { keyFile: string; keyPem: string; passphraseFile: string | undefined },
): Promise<string | null> {
  const { keyPem, passphraseFile } = authority;
  const keyFile = shortPath(world.workingDirectory, authority.keyFile);
  if (!isEncrypted(keyPem)) {
    if (passphraseFile !== undefined) {
      world.complain(
        `ferrite: note: ${keyFile} is not encrypted; --ca-passphrase-file is not needed`,
      );
    }
    return null;
  }
  if (passphraseFile !== undefined) return readPasswordFile(world, passphraseFile, "passphrase");
  if (world.input.isTerminal) return world.input.readHidden(`Passphrase of ${keyFile}: `);
  throw new CertificateError(
    "badPassphrase",
    `${keyFile} is encrypted, and there is no terminal to ask for its passphrase: give it with --ca-passphrase-file.`,
  );
}
