/**
 * Certificates as an operator keeps and deploys them: made by `ferrite certs` in directories of their own (one per
 * authority), then copied to where each node looks, first the certificate and a moment later its key.
 */
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { ConnectionOptions } from "node:tls";
import { FERRITE } from "../../e2e/harness/cluster.ts";
import { runProgram } from "../../e2e/harness/program.ts";

/** Between the two files of a pair, as an agent that writes one after the other leaves it. */
const HALF_WRITTEN_MS = 150;

export class Deployment {
  readonly directory: string;
  /** Directory of the authority whose certificates are deployed. */
  #authority = "";
  /** Files of all authorities that are trusted now. */
  #trusted: string[] = [];
  readonly #clients = new Map<string, { readonly cert: Buffer; readonly key: Buffer }>();

  constructor(directory: string) {
    this.directory = directory;
  }

  /** What a node is started with. Its own names of files never change, only what is in them. */
  settingsOf(node: string): Record<string, string> {
    const live = this.live(node);
    return {
      "tls-cert-file": join(live, "tls.crt"),
      "tls-key-file": join(live, "tls.key"),
      "tls-ca-cert-file": join(live, "ca.crt"),
      "tls-crl-file": join(live, "ca.crl"),
      // The peers use the same files: their own settings are left out.
      "peer-tls-cert-file": "",
      "peer-tls-key-file": "",
      "peer-tls-ca-cert-file": "",
      "tls-auth-clients": "yes",
      "tls-auth-clients-user": "CN",
    };
  }

  live(name: string): string {
    const directory = join(this.directory, "live", name);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return directory;
  }

  async certs(...words: readonly string[]): Promise<void> {
    const result = await runProgram(process.execPath, [FERRITE, "certs", ...words]);
    if (result.exitCode !== 0) throw new Error(`ferrite certs ${words[0]}: ${result.errorOutput}`);
  }

  /** A new authority; certificates come from it from now on. Nobody trusts it yet. */
  async newAuthority(name: string): Promise<void> {
    this.#authority = join(this.directory, name);
    await this.certs("init", "--out", this.#authority, "--name", name);
    await this.certs("crl", "--out", this.#authority);
  }

  /** Sets who is trusted: the nodes read it from a bundle with its revocation lists, clients with their next connection. */
  trust(authorities: readonly string[], nodes: readonly string[]): void {
    this.#trusted = authorities.map((name) => join(this.directory, name));
    for (const node of nodes) {
      this.#write(join(this.live(node), "ca.crl"), this.#all("ca.crl"));
      this.#write(join(this.live(node), "ca.crt"), this.#all("ca.crt"));
    }
  }

  /** A new pair for a node, deployed in two steps. */
  async deployNode(node: string): Promise<void> {
    const pair = join(this.#authority, node);
    await this.certs("node", node, "--out", this.#authority, "--host", "127.0.0.1", "--force");
    const live = this.live(node);
    this.#copy(`${pair}.crt`, join(live, "tls.crt"));
    await pause(HALF_WRITTEN_MS);
    this.#copy(`${pair}.key`, join(live, "tls.key"));
  }

  /** A new certificate for a client program, which it shows from its next connection on. */
  async issueClient(user: string): Promise<void> {
    await this.certs("client", user, "--out", this.#authority, "--force");
    const pair = join(this.#authority, `client-${user}`);
    this.#clients.set(user, {
      cert: readFileSync(`${pair}.crt`),
      key: readFileSync(`${pair}.key`),
    });
  }

  async revokeClient(user: string, nodes: readonly string[]): Promise<void> {
    await this.certs("revoke", `client-${user}`, "--out", this.#authority);
    for (const node of nodes) this.#write(join(this.live(node), "ca.crl"), this.#all("ca.crl"));
  }

  /** How a client connects now: its newest certificate, and today's authorities. */
  connection(user: string, node: string): ConnectionOptions {
    return { ...this.#clients.get(user), ca: this.#all("ca.crt"), servername: node };
  }

  #all(file: string): string {
    return this.#trusted.map((directory) => readFileSync(join(directory, file), "utf8")).join("");
  }

  #copy(from: string, to: string): void {
    copyFileSync(from, `${to}.new`);
    renameSync(`${to}.new`, to);
  }

  #write(path: string, text: string): void {
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}
