import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../../packages/cli/dist/bin.js", import.meta.url));

export interface CertificateFiles {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** An authority and a server's certificate for this machine, made as Ferrite makes its own. */
export function makeCertificate(directory: string): CertificateFiles {
  const args = [program, "certs", "gen", "server", "--out", directory];
  execFileSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  return {
    authority: join(directory, "ca.pem"),
    certificate: join(directory, "server", "cert.pem"),
    key: join(directory, "server", "key.pem"),
  };
}
