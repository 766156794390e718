/**
 * Three nodes that speak TLS to clients: TestCluster with a TLS port and certificate files of its own for each node. One
 * authority has signed nodes and clients, so that nothing but what a certificate may do tells them apart.
 *
 *   <directory>/<node>/{tls,peer}.{crt,key}, ca.crt
 */
import { request as requestHttps } from "node:https";
import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import type { Made } from "../../../packages/node/test/certificates/certificate-maker.ts";
import { TestCluster, until, type TestClusterOptions } from "../../e2e/harness/cluster.ts";
import { freePorts } from "../../e2e/harness/free-ports.ts";
import { RespClient, RespError, type RespValue } from "../../e2e/harness/resp-client.ts";
import { attempt } from "./support/attempt.ts";
import { AuthorityRoom, writeSecret } from "./support/authority-room.ts";
import type { Place } from "./support/bad-files.ts";
import {
  auditRecords,
  logLines,
  metricIn,
  type AuditRecord,
  type LogLine,
} from "./support/node-facts.ts";

export type Use = "tls" | "peer";

export interface TlsClusterOptions extends TestClusterOptions {
  /** Settings of one node, beating those of all. */
  readonly settingsOf?: (cluster: TlsCluster, node: number) => Readonly<Record<string, string>>;
  /** Called when there is a directory and before anything is started: files of the test's own. */
  readonly before?: (cluster: TlsCluster) => void | Promise<void>;
}

const PASSWORD_ITERATIONS = "1000";
/** A change is to be noticed as a change of a file, not because an hour is over. */
const RELOAD_INTERVAL_SECONDS = "3600";

export class TlsCluster {
  readonly base: TestCluster;
  readonly room: AuthorityRoom;
  readonly tlsPorts: readonly number[];
  readonly #options: TlsClusterOptions;

  /** Starts all nodes and waits until they are ready. */
  static async start(options: TlsClusterOptions = {}): Promise<TlsCluster> {
    const cluster = await TlsCluster.prepare(options);
    try {
      for (const node of cluster.nodes) cluster.spawn(node);
      await Promise.all(cluster.nodes.map((node) => cluster.ready(node)));
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** Makes directories, ports, and good certificates for all; starts nothing. */
  static async prepare(options: TlsClusterOptions = {}): Promise<TlsCluster> {
    const base = await TestCluster.prepare(options);
    const cluster = new TlsCluster(base, await freePorts(base.nodes.length), options);
    for (const node of cluster.nodes) {
      cluster.writeCertificate(node, "tls");
      cluster.writeCertificate(node, "peer");
      cluster.write(node, "ca.crt", cluster.room.authority.pem);
    }
    await options.before?.(cluster);
    return cluster;
  }

  private constructor(base: TestCluster, tlsPorts: readonly number[], options: TlsClusterOptions) {
    this.base = base;
    this.tlsPorts = tlsPorts;
    this.#options = options;
    this.room = new AuthorityRoom(join(base.directory, "tls"));
  }

  /** Their numbers: 0, 1, 2. */
  get nodes(): readonly number[] {
    return this.base.nodes.map(({ index }) => index);
  }

  name(node: number): string {
    return this.base.nodes[node].name;
  }

  /** Where a node's file is, which need not be there. */
  path(node: number, file: string): string {
    return join(this.base.directory, "tls", this.name(node), file);
  }

  write(node: number, file: string, content: string | Buffer): string {
    return writeSecret(this.path(node, file), content);
  }

  /** Puts a pair where the node reads it, key first; by default a new good one. */
  writeCertificate(node: number, use: Use, made: Made = this.room.node(this.name(node))): Made {
    this.write(node, `${use}.key`, made.keyPem);
    this.write(node, `${use}.crt`, made.pem);
    return made;
  }

  /** Where a node has the pair of one use, for support/bad-files.ts. */
  place(node: number, use: Use): Place {
    return {
      room: this.room,
      name: this.name(node),
      certFile: this.path(node, `${use}.crt`),
      keyFile: this.path(node, `${use}.key`),
      passphraseFile: this.path(node, `${use}.pass`),
    };
  }

  settings(node: number): Readonly<Record<string, string>> {
    return {
      "tls-port": String(this.tlsPorts[node]),
      "tls-cert-file": this.path(node, "tls.crt"),
      "tls-key-file": this.path(node, "tls.key"),
      "tls-ca-cert-file": this.path(node, "ca.crt"),
      ...(this.nodes.length === 1
        ? {}
        : {
            "peer-tls-cert-file": this.path(node, "peer.crt"),
            "peer-tls-key-file": this.path(node, "peer.key"),
            "peer-tls-ca-cert-file": this.path(node, "ca.crt"),
          }),
      "password-hash-iterations": PASSWORD_ITERATIONS,
      "tls-reload-interval": RELOAD_INTERVAL_SECONDS,
      ...this.#options.settings,
      ...this.#options.settingsOf?.(this, node),
    };
  }

  /** Starts one node's process without waiting. `more` beats all other settings. */
  spawn(
    node: number,
    more: Readonly<Record<string, string>> = {},
  ): ReturnType<TestCluster["spawn"]> {
    return this.base.spawn(node, { ...this.settings(node), ...more });
  }

  /** Waits until the node says that it is ready, over HTTPS where that is spoken. */
  async ready(node: number): Promise<void> {
    if (this.#isHttps) {
      await until(`${this.name(node)} is ready`, async () => {
        if (!this.base.isRunning(node)) throw new Error(this.base.log(node));
        return (await this.http(node, "/readyz").catch(() => null))?.status === 200;
      });
      return;
    }
    await this.base.ready(node);
  }

  get #isHttps(): boolean {
    return this.#options.settings?.["http-tls"] === "yes";
  }

  /** Over TLS. Rejects when the handshake fails; see `attempt` for what a client is told. */
  connect(node: number, options: ConnectionOptions): Promise<RespClient> {
    return RespClient.connectTls(this.tlsPorts[node], options);
  }

  /** One attempt to be served over TLS: see attempt.ts. */
  attempt(node: number, options: ConnectionOptions, request?: string): Promise<string> {
    return attempt(this.tlsPorts[node], options, request);
  }

  /** As an administrator, over the plain port of loopback. Throws when the answer is an error. */
  async admin(node: number, ...words: readonly string[]): Promise<RespValue> {
    const answer = await this.base.call(node, ...words);
    if (answer instanceof RespError) throw new Error(`${words.join(" ")}: ${answer.text}`);
    return answer;
  }

  /** CONFIG SET on every node. */
  async configureAll(name: string, value: string): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.admin(node, "CONFIG", "SET", name, value)));
  }

  log(node: number): LogLine[] {
    return logLines(this.base, node);
  }

  audit(node: number): AuditRecord[] {
    return auditRecords(this.base, node);
  }

  async metric(node: number, name: string, labels: Record<string, string> = {}): Promise<number> {
    return metricIn((await this.http(node, "/metrics")).text, name, labels);
  }

  /** A GET over HTTP or HTTPS, as the node speaks it. */
  async http(
    node: number,
    path: string,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const { httpPort } = this.base.nodes[node];
    if (this.#isHttps) return await getOverTls(httpPort, path, this.room.anonymous);
    const answer = await fetch(`http://127.0.0.1:${httpPort}${path}`);
    return { status: answer.status, text: await answer.text() };
  }

  close(): Promise<void> {
    return this.base.close();
  }
}

/** GET with a connection of its own, so that it is shown the certificate of now. */
export function getOverTls(
  port: number,
  path: string,
  options: ConnectionOptions,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const { ca, servername, cert, key } = options;
    const asked = requestHttps(
      { host: "127.0.0.1", port, path, agent: false, ca, servername, cert, key },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (part: string) => (text += part));
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}
