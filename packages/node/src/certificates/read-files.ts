/** Reads the files of one use as they are, without looking into them, and knows whether they are those of last time. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { CertificateError, certificateError } from "./errors.ts";
import type { CertificateProblem } from "./errors.ts";
import {
  AUTHORITY_FILE_BYTES_MAX,
  AUTHORITY_FILES_MAX,
  FILE_BYTES_MAX,
  REVOCATION_FILE_BYTES_MAX,
} from "./limits.ts";
import { FileTooLarge, type CertificateFiles } from "./ports.ts";
import type { CredentialSource } from "./source.ts";

/** One file, and how errors speak of it. */
export interface RawFile {
  readonly setting: string;
  readonly path: string;
  readonly bytes: Buffer;
  readonly isReadableByOthers: boolean;
}

export interface RawFiles {
  readonly cert: RawFile;
  readonly key: RawFile;
  readonly passphrase: RawFile | null;
  readonly authorities: readonly RawFile[];
  readonly revocations: RawFile | null;
  /** SHA-256 of all of them. Times of files say nothing: a restored backup is older than what it replaces. */
  readonly digest: string;
}

/** "tls-cert-file /etc/x.crt", with which every sentence begins. */
export function nameOf(file: Pick<RawFile, "setting" | "path">): string {
  return `${file.setting} ${file.path}`;
}

/** @throws CertificateError with every file that can not be read */
export async function readFiles(
  { files, settings }: CredentialSource,
  port: CertificateFiles,
): Promise<RawFiles> {
  const problems: CertificateProblem[] = [];
  const read = async (setting: string, path: string, bytesMax = FILE_BYTES_MAX) =>
    await collect(problems, () => readOne(port, { setting, path }, bytesMax));
  const cert = await read(settings.cert, files.certFile);
  const key = await read(settings.key, files.keyFile);
  const passphrase =
    files.keyPassphraseFile === null
      ? null
      : await read(settings.passphrase, files.keyPassphraseFile);
  const bundle =
    files.caFile === null
      ? null
      : await read(settings.authorities, files.caFile, AUTHORITY_FILE_BYTES_MAX);
  const { caDirectory } = files;
  const directory =
    caDirectory === null
      ? []
      : await collect(problems, () =>
          readDirectory(port, { setting: settings.authorityDirectory, path: caDirectory }),
        );
  const revocations =
    files.crlFile === null
      ? null
      : await read(settings.revocations, files.crlFile, REVOCATION_FILE_BYTES_MAX);
  if (cert === null || key === null || problems.length > 0) {
    throw new CertificateError(problems as [CertificateProblem, ...CertificateProblem[]]);
  }
  const authorities = [...(bundle === null ? [] : [bundle]), ...(directory ?? [])];
  const all = { cert, key, passphrase, authorities, revocations };
  return { ...all, digest: digestOf(all) };
}

async function collect<T>(
  problems: CertificateProblem[],
  work: () => Promise<T>,
): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    problems.push(...error.problems);
    return null;
  }
}

async function readOne(
  port: CertificateFiles,
  file: { readonly setting: string; readonly path: string },
  bytesMax: number,
): Promise<RawFile> {
  try {
    const read = await port.read(file.path, bytesMax);
    if (read.bytes.length === 0) {
      throw certificateError("empty", `${nameOf(file)} is empty.`);
    }
    return { ...file, ...read };
  } catch (error) {
    if (error instanceof FileTooLarge) {
      const text = `${nameOf(file)} is larger than ${bytesMax} bytes: is it the right file?`;
      throw certificateError("tooLarge", text);
    }
    throw reading(error, file);
  }
}

/** Hidden entries are left out: Kubernetes keeps its generations in `..data` and `..2026_01_01`. */
async function readDirectory(
  port: CertificateFiles,
  directory: { readonly setting: string; readonly path: string },
): Promise<readonly RawFile[]> {
  const names = await port.names(directory.path).catch((error: unknown) => {
    throw reading(error, directory);
  });
  const wanted = names
    .filter((name) => /\.(?:pem|crt|cer)$/i.test(name) && !name.startsWith("."))
    .sort();
  if (wanted.length === 0) {
    const text = `${nameOf(directory)} has no .pem, .crt or .cer file in it.`;
    throw certificateError("badAuthority", text);
  }
  if (wanted.length > AUTHORITY_FILES_MAX) {
    const text = `${nameOf(directory)} has more than ${AUTHORITY_FILES_MAX} files in it: is it the right directory?`;
    throw certificateError("tooLarge", text);
  }
  const files: RawFile[] = [];
  for (const name of wanted) {
    const file = { setting: directory.setting, path: join(directory.path, name) };
    files.push(await readOne(port, file, FILE_BYTES_MAX));
  }
  return files;
}

function reading(
  error: unknown,
  file: { readonly setting: string; readonly path: string },
): CertificateError {
  if (error instanceof CertificateError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ENOENT":
      return certificateError(
        "missingFile",
        `${nameOf(file)} is not there. Make it with \`ferrite certs\`, or correct the path.`,
      );
    case "EISDIR":
      return certificateError("wrongKind", `${nameOf(file)} is a directory, not a file.`);
    case "ENOTDIR":
      return certificateError(
        "wrongKind",
        `${nameOf(file)} goes through, or is, a file where a directory is wanted.`,
      );
    case "EACCES":
    case "EPERM":
      return certificateError(
        "unreadable",
        `${nameOf(file)} may not be read by the user that Ferrite runs as (${code}): ` +
          "give that user the right to read it.",
      );
    default:
      return certificateError("unreadable", `${nameOf(file)} can not be read: ${message}.`);
  }
}

function digestOf(files: Omit<RawFiles, "digest">): string {
  const hash = createHash("sha256");
  const { cert, key, passphrase, authorities, revocations } = files;
  for (const file of [cert, key, passphrase, ...authorities, revocations]) {
    hash.update(file === null ? "-;" : `${file.bytes.length};`);
    if (file !== null) hash.update(file.bytes);
  }
  return hash.digest("hex");
}
