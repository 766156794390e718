/** Changes the certificate files of a node while it runs, as an operator or an agent would. */
import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openAuthority } from "../../../packages/cli/src/certs/authority.ts";
import type { CertificatePair } from "../../../packages/cli/src/certs/index.ts";
import { signRevocationList } from "../../../packages/cli/src/certs/revocation-list.ts";
import type { TlsFiles } from "../../../packages/node/src/config/tls-files.ts";

export function writeOwn(files: TlsFiles, pair: CertificatePair): void {
  writeFileSync(files.certFile, pair.certificatePem);
  writeFileSync(files.keyFile, pair.privateKeyPem);
}

/** One bundle of all of these. */
export function writeAuthorities(
  files: TlsFiles,
  ...authorities: readonly CertificatePair[]
): void {
  if (files.caFile === null) throw new Error("the node has no file of authorities");
  writeFileSync(files.caFile, authorities.map((each) => each.certificatePem).join(""));
}

/** The same files with a list, which revokes nobody yet. */
export async function withList(
  directory: string,
  files: TlsFiles,
  authority: CertificatePair,
): Promise<TlsFiles & { readonly crlFile: string }> {
  const changed = { ...files, crlFile: join(directory, "revoked.pem") };
  await writeList(changed, authority, []);
  return changed;
}

let listNumber = 1n;

export async function writeList(
  files: { readonly crlFile: string },
  authority: CertificatePair,
  revoked: readonly CertificatePair[],
): Promise<void> {
  const nowMs = Date.now();
  const text = await signRevocationList(await openAuthority(authority), {
    number: listNumber++,
    revocations: revoked.map((pair) => ({
      serial: new X509Certificate(pair.certificatePem).serialNumber.toLowerCase(),
      revokedAtMs: nowMs - 1000,
      reason: "keyCompromise",
    })),
    days: 1,
    nowMs: nowMs - 1000,
  });
  writeFileSync(files.crlFile, text);
}
