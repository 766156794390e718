/** A certificate for one host name, signed by itself: the authority and the server in one. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface TlsFiles {
  readonly key: Buffer;
  readonly cert: Buffer;
  readonly caFile: string;
}

/** Made by openssl, which every machine with git and TLS has. */
export function makeTlsFiles(directory: string, hostName: string): TlsFiles {
  const keyFile = `${directory}/key.pem`;
  const certFile = `${directory}/cert.pem`;
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const subject = ["-subj", `/CN=${hostName}`, "-addext", `subjectAltName=DNS:${hostName}`];
  const files = ["-nodes", "-days", "2", "-keyout", keyFile, "-out", certFile];
  execFileSync("openssl", [...request, ...subject, ...files], { stdio: "ignore" });
  return { key: readFileSync(keyFile), cert: readFileSync(certFile), caFile: certFile };
}
