/**
 * Which files a directory of certificates has. There are two forms, and every command knows both:
 *
 *   flat (init, node, client)              folders (gen)
 *     ca.crt  ca.key                         ca.pem  ca-key.pem
 *     node-1.crt  node-1.key                 node-1/cert.pem  node-1/key.pem
 *     client-app.crt  client-app.key         client-app/cert.pem  client-app/key.pem
 *
 *   both: ca.crl (what is revoked), ca-index.json (what was issued)
 */
import { existsSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { CertificateError } from "./errors.ts";

/** Where one pair is kept. */
export interface CertificatePaths {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface DirectoryLayout {
  readonly directory: string;
  readonly authority: CertificatePaths;
  /** Revocation list, PEM. */
  readonly crlFile: string;
  readonly indexFile: string;
  node(name: string): CertificatePaths;
  client(name: string): CertificatePaths;
}

export type LayoutForm = "flat" | "folders";

const CLIENT_PREFIX = "client-";

/** The form that a directory has; a new one is flat. */
export function layoutOf(directory: string): DirectoryLayout {
  return newLayout(directory, existsSync(join(directory, "ca.pem")) ? "folders" : "flat");
}

export function newLayout(directory: string, form: LayoutForm): DirectoryLayout {
  const pair = (stem: string): CertificatePaths =>
    form === "flat"
      ? { certFile: join(directory, `${stem}.crt`), keyFile: join(directory, `${stem}.key`) }
      : { certFile: join(directory, stem, "cert.pem"), keyFile: join(directory, stem, "key.pem") };
  return {
    directory,
    authority:
      form === "flat"
        ? pair("ca")
        : { certFile: join(directory, "ca.pem"), keyFile: join(directory, "ca-key.pem") },
    crlFile: join(directory, "ca.crl"),
    indexFile: join(directory, "ca-index.json"),
    node: pair,
    client: (name) => pair(`${CLIENT_PREFIX}${name}`),
  };
}

/**
 * The key that belongs to a certificate's file, by the names that are used here: `x.crt` and `x.key`, `cert.pem` and
 * `key.pem`, and Kubernetes' `tls.crt` and `tls.key`. Null when the name says nothing.
 */
export function keyFileOf(certFile: string): string | null {
  const folder = dirname(certFile);
  const name = basename(certFile);
  if (name === "cert.pem") return join(folder, "key.pem");
  const ending = extname(name);
  return ending === ".crt" || ending === ".cer"
    ? join(folder, `${name.slice(0, -ending.length)}.key`)
    : null;
}

/**
 * A node's files may not be those of the authority or of a client.
 * @throws CertificateError badArgument
 */
export function refuseReservedName(name: string): void {
  if (name !== "ca" && !name.startsWith(CLIENT_PREFIX)) return;
  throw new CertificateError(
    "badArgument",
    `A node can not be named "${name}": "ca" and "client-..." are names of other files in the directory.`,
  );
}

/** A client may be named as it is or as its files are. */
export function withoutClientPrefix(name: string): string {
  return name.startsWith(CLIENT_PREFIX) ? name.slice(CLIENT_PREFIX.length) : name;
}
