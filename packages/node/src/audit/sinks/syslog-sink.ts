/**
 * Sends records to a syslog server over TCP or TLS, on one connection that is made when there is something to send and
 * made again when it is lost. Syslog confirms nothing: what the network has taken when the connection breaks may be lost.
 */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { SealedRecord } from "../chain.ts";
import { AuditError } from "../errors.ts";
import type { Receiver } from "./sink.ts";
import { syslogFrame } from "./syslog-message.ts";
import { readSyslogTls, type SyslogTlsFiles } from "./syslog-tls.ts";

export interface SyslogOptions extends SyslogTlsFiles {
  /** tcp://host:port or tls://host:port */
  readonly url: string;
  readonly processId: number;
  readonly timeoutMs: number;
  /** Default: the process' own. */
  readonly monotonicNowMs?: () => number;
}

/** How often it is looked at whether the files of a connection have been renewed. */
export const FILES_LOOK_INTERVAL_MS = 10_000;

/** RFC 6587 names no port for TCP; 601 is registered. 6514 is that of RFC 5425. */
const PORTS: Readonly<Record<string, number>> = { "tcp:": 601, "tls:": 6514 };

export class SyslogSink implements Receiver {
  readonly name = "syslog";
  readonly #options: SyslogOptions;
  readonly #url: URL;
  readonly #nowMs: () => number;
  #socket: Socket | null = null;
  /** Of the files that the connection was made with, and when they were looked at. */
  #digest = "";
  #lookedAtMs = 0;

  /** @throws AuditError badSink */
  constructor(options: SyslogOptions) {
    this.#options = options;
    const url = URL.parse(options.url);
    if (url === null || !(url.protocol in PORTS) || url.hostname === "") {
      throw new AuditError("badSink", "audit-syslog is tcp://host:port or tls://host:port");
    }
    this.#url = url;
    this.#nowMs = options.monotonicNowMs ?? (() => performance.now());
  }

  async deliver(batch: readonly SealedRecord[]): Promise<number> {
    const frames = Buffer.concat(
      batch.map((record) => syslogFrame(record, this.#options.processId)),
    );
    if (await this.#isRenewed()) await this.close();
    this.#socket ??= await this.#connect();
    await this.#write(this.#socket, frames);
    return 0;
  }

  close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null || socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      socket.once("close", () => resolve());
      socket.setTimeout(this.#options.timeoutMs, () => socket.destroy());
      socket.end();
    });
  }

  /**
   * A connection can last for months: with new files it is made anew between two deliveries. Files that are not good leave
   * the one that there is.
   */
  async #isRenewed(): Promise<boolean> {
    const isDue = this.#nowMs() - this.#lookedAtMs >= FILES_LOOK_INTERVAL_MS;
    if (this.#socket === null || !isDue || this.#url.protocol !== "tls:") return false;
    this.#lookedAtMs = this.#nowMs();
    const now = await readSyslogTls(this.#options).catch(() => null);
    return now !== null && now.digest !== this.#digest;
  }

  async #connect(): Promise<Socket> {
    const { hostname, protocol } = this.#url;
    const host = hostname.replace(/^\[|\]$/g, "");
    const port = this.#url.port === "" ? PORTS[protocol] : Number(this.#url.port);
    if (protocol === "tcp:") return await this.#ready(connectTcp({ host, port }), "connect");
    const { context, digest } = await readSyslogTls(this.#options);
    this.#digest = digest;
    this.#lookedAtMs = this.#nowMs();
    const socket = connectTls({
      host,
      port,
      servername: /^[\d.]+$|:/.test(host) ? "" : host,
      rejectUnauthorized: true,
      secureContext: context,
    });
    return await this.#ready(socket, "secureConnect");
  }

  #ready(socket: Socket, event: "connect" | "secureConnect"): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      const timer = setTimeout(
        () => fail(new AuditError("delivery", "the syslog server does not answer")),
        this.#options.timeoutMs,
      );
      socket.once("error", fail);
      socket.once(event, () => {
        clearTimeout(timer);
        socket.off("error", fail);
        this.#watch(socket);
        resolve(socket);
      });
    });
  }

  /** An idle connection that ends is no failure yet: the next delivery makes a new one. */
  #watch(socket: Socket): void {
    const forget = (): void => {
      if (this.#socket === socket) this.#socket = null;
    };
    socket.on("error", forget);
    socket.on("close", forget);
    socket.on("end", () => socket.destroy());
    // Servers have nothing to say; what they say all the same must not fill memory.
    socket.resume();
    socket.unref();
    socket.setKeepAlive(true, 30_000);
  }

  #write(socket: Socket, frames: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error: Error | null | undefined): void => {
        clearTimeout(timer);
        socket.off("close", onClose);
        if (error === null || error === undefined) return resolve();
        socket.destroy();
        return reject(error);
      };
      const onClose = (): void =>
        settle(new AuditError("delivery", "the syslog server closed the connection"));
      const timer = setTimeout(
        () => settle(new AuditError("delivery", "the syslog server takes nothing")),
        this.#options.timeoutMs,
      );
      socket.once("close", onClose);
      socket.write(frames, settle);
    });
  }
}
