/** The files by which a syslog server and this node know each other. Read at each connection, so that they can be renewed. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContext } from "node:tls";

export interface SyslogTlsFiles {
  /** Authorities that may have signed the server's certificate; null: those that Node.js trusts. */
  readonly caCertFile: string | null;
  /** What this node shows, where the server asks for it; both or none. */
  readonly certFile?: string | null;
  readonly keyFile?: string | null;
}

export interface SyslogContext {
  readonly context: SecureContext;
  /** Equal for equal contents. */
  readonly digest: string;
}

/** @throws Node's own error when a file can not be read, or the key is not the certificate's */
export async function readSyslogTls(files: SyslogTlsFiles): Promise<SyslogContext> {
  const read = async (path: string | null | undefined): Promise<Buffer | undefined> =>
    path === null || path === undefined ? undefined : await readFile(path);
  const ca = await read(files.caCertFile);
  const cert = await read(files.certFile);
  const key = await read(files.keyFile);
  const context = createSecureContext({ ca, cert, key, minVersion: "TLSv1.2" });
  const hash = createHash("sha256");
  for (const each of [ca, cert, key]) hash.update(`${each?.length ?? "-"};`).update(each ?? "");
  return { context, digest: hash.digest("hex") };
}
