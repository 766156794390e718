/** From a signed pair to files, in the order in which nothing gets lost. */
import { resolve } from "node:path";
import type { World } from "../world.ts";
import type { CertificatePair } from "./authority.ts";
import { refuseExisting, writePair } from "./certificate-files.ts";
import type { CertificateUse } from "./certificate-index.ts";
import { authorityDirectory, newKeyPassphrase, type IssueFlags } from "./certs-options.ts";
import { layoutOf, type CertificatePaths, type DirectoryLayout } from "./directory-layout.ts";
import { recordIssued } from "./issued.ts";
import { openAuthorityIn } from "./open-authority.ts";
import { encryptKey } from "./private-key.ts";

export interface IssuedFiles extends CertificatePaths {
  /** The authority's certificate. */
  readonly caFile: string;
  readonly isEncrypted: boolean;
}

/** Issues a pair by `issue` and writes it where `where` says. @throws CertificateError */
export async function issuePair(
  world: World,
  flags: IssueFlags,
  what: {
    readonly use: CertificateUse;
    readonly name: string;
    readonly where: (layout: DirectoryLayout) => CertificatePaths;
    readonly issue: (authority: CertificatePair) => Promise<CertificatePair>;
  },
): Promise<IssuedFiles> {
  const paths = what.where(layoutOf(resolve(world.workingDirectory, flags.out)));
  if (!flags.force) await refuseExisting(paths);
  const directory = authorityDirectory(world, flags);
  const authority = await openAuthorityIn(world, directory, flags.caPassphraseFile);
  const passphrase = await newKeyPassphrase(world, flags.keyPassphraseFile);
  const { certificatePem, privateKeyPem } = await what.issue(authority.pair);
  await recordIssued(authority, { certificatePem, use: what.use, name: what.name });
  const pair = { certificatePem, privateKeyPem: encryptKey(privateKeyPem, passphrase) };
  await writePair(paths, pair, { force: flags.force });
  const caFile = authority.layout.authority.certFile;
  return { ...paths, caFile, isEncrypted: passphrase !== null };
}
