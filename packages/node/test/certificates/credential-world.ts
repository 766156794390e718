/** Files of certificates in a folder of their own, time that passes when a test says so, and what was told meanwhile. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { CredentialEvent } from "../../src/certificates/credential-events.ts";
import type { CredentialUse } from "../../src/certificates/live-credentials.ts";
import { peerNameProblem } from "../../src/certificates/peer-name.ts";
import type { CertificatePorts } from "../../src/certificates/ports.ts";
import { SETTING_NAMES, type CredentialSource } from "../../src/certificates/source.ts";
import { systemCertificatePorts } from "../../src/certificates/system-files.ts";
import {
  openCredentials,
  type CredentialOptions,
  type ManagedCredentials,
} from "../../src/certificates/watched-credentials.ts";
import type { TlsFiles } from "../../src/config/tls-files.ts";
import { makeAuthority, makeNode, type Made } from "./certificate-maker.ts";

export const NODE_NAME = "n1";

export class TestClock {
  #nowMs = Date.now();
  #timers: { readonly atMs: number; readonly delayMs: number; readonly run: () => void }[] = [];
  #awaited: { readonly delayMs: number; readonly resolve: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, delayMs, run };
    this.#timers.push(timer);
    for (const each of this.#awaited.filter((one) => one.delayMs === delayMs)) each.resolve();
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** Resolves when somebody waits for exactly so long. */
  untilWaiting(delayMs: number): Promise<void> {
    if (this.#timers.some((timer) => timer.delayMs === delayMs)) return Promise.resolve();
    return new Promise((resolve) => this.#awaited.push({ delayMs, resolve }));
  }

  get delays(): readonly number[] {
    return this.#timers.map(({ delayMs }) => delayMs);
  }

  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const [next] = this.#timers
        .filter((timer) => timer.atMs <= endMs)
        .toSorted((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = endMs;
  }
}

export class CredentialWorld {
  readonly directory: string = mkdtempSync(join(tmpdir(), "ferrite-certificates-"));
  readonly clock: TestClock = new TestClock();
  readonly events: CredentialEvent[] = [];
  /** Messages of level warn and error. */
  readonly alarms: string[] = [];
  readonly authority: Made = makeAuthority("Test authority");
  readonly files: TlsFiles = {
    certFile: this.path("node.crt"),
    keyFile: this.path("node.key"),
    keyPassphraseFile: null,
    caFile: this.path("ca.crt"),
    caDirectory: null,
    crlFile: null,
  };
  /** What the watch reports as changed. */
  noticeChange: () => void = () => undefined;
  #opened: ManagedCredentials | null = null;

  constructor() {
    onTestFinished(() => {
      this.#opened?.close();
      rmSync(this.directory, { recursive: true, force: true });
    });
    this.write("ca.crt", this.authority.pem);
    this.writePair(makeNode(NODE_NAME, this.authority));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  write(name: string, content: string | Buffer): string {
    writeFileSync(this.path(name), content, { mode: 0o600 });
    return this.path(name);
  }

  writePair(made: Made, ...above: readonly Made[]): void {
    this.write("node.crt", [made, ...above].map(({ pem }) => pem).join(""));
    this.write("node.key", made.keyPem);
  }

  get ports(): CertificatePorts {
    const silent = (): void => undefined;
    const alarm = (_fields: Record<string, unknown>, message: string): void => {
      this.alarms.push(message);
    };
    const logger = { debug: silent, info: silent, warn: alarm, error: alarm };
    const watch = (_paths: readonly string[], onChange: () => void): (() => void) => {
      this.noticeChange = onChange;
      return silent;
    };
    return {
      logger,
      clock: this.clock,
      files: { ...systemCertificatePorts(logger).files, watch },
    };
  }

  source(use: CredentialUse, changes: Partial<CredentialSource> = {}): CredentialSource {
    const files = changes.files ?? this.files;
    return {
      key: JSON.stringify([files, changes.staleLists, changes.key]),
      use,
      files,
      settings: SETTING_NAMES[use],
      staleLists: "accept",
      require:
        use === "peers" ? (certificate) => peerNameProblem(certificate, NODE_NAME, []) : null,
      ...changes,
    };
  }

  options(use: CredentialUse, changes: Partial<CredentialSource> = {}): CredentialOptions {
    return {
      source: this.source(use, changes),
      reloadIntervalMs: 60_000,
      warningDays: [30, 7, 1],
    };
  }

  async open(
    use: CredentialUse = "peers",
    changes: Partial<CredentialSource> = {},
  ): Promise<ManagedCredentials> {
    const environment = {
      ports: this.ports,
      onEvent: (event: CredentialEvent) => void this.events.push(event),
    };
    this.#opened = await openCredentials(this.options(use, changes), environment);
    return this.#opened;
  }

  eventsOf<K extends CredentialEvent["kind"]>(
    kind: K,
  ): readonly Extract<CredentialEvent, { readonly kind: K }>[] {
    return this.events.filter(
      (event): event is Extract<CredentialEvent, { readonly kind: K }> => event.kind === kind,
    );
  }
}
