/** Certificates for tests of TLS: real ones, of an authority made for the test, in credentials that a test changes. */
import { X509Certificate } from "node:crypto";
import type { ConnectionOptions } from "node:tls";
import {
  createAuthority,
  issueClientCertificate,
  issueNodeCertificate,
} from "../../../../cli/src/certs/index.ts";
import type { CertificatePair, ClientCertificateOptions } from "../../../../cli/src/certs/index.ts";
import type {
  CertificateRefusal,
  CredentialChange,
  CredentialHealth,
  LiveCredentials,
  LoadedCredentials,
} from "../../../src/certificates/live-credentials.ts";

export class TestCredentials implements LiveCredentials {
  readonly use = "clients";
  /** Authorities of clients; empty: nobody is asked. */
  authorities: readonly CertificatePair[];
  server: CertificatePair;
  /** Fingerprints as X509Certificate has them. */
  readonly revoked = new Set<string>();
  readonly #listeners = new Set<(now: LoadedCredentials, change: CredentialChange) => void>();
  #generation = 1;

  constructor(server: CertificatePair, authorities: readonly CertificatePair[]) {
    this.server = server;
    this.authorities = authorities;
  }

  current(): LoadedCredentials {
    const { server, authorities } = this;
    const ca = authorities.map(({ certificatePem }) => certificatePem);
    return {
      generation: this.#generation,
      certificate: new X509Certificate(server.certificatePem),
      contextOptions: {
        cert: server.certificatePem,
        key: server.privateKeyPem,
        ...(ca.length > 0 ? { ca } : {}),
      },
      hasAuthorities: ca.length > 0,
      verify: (chain, _usage, nowMs) => this.#verify(chain, nowMs),
    };
  }

  /** Tells listeners that something has changed, after a test has changed it. */
  changed(change: Partial<CredentialChange>): void {
    this.#generation++;
    const all = { identity: false, trust: false, revocations: false, ...change };
    for (const listener of this.#listeners) listener(this.current(), all);
  }

  onChange(listener: (now: LoadedCredentials, change: CredentialChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  health(): CredentialHealth {
    throw new Error("nobody asks for it in these tests");
  }

  reload(): Promise<{ readonly result: "unchanged" }> {
    return Promise.resolve({ result: "unchanged" });
  }

  close(): void {
    this.#listeners.clear();
  }

  #verify([leaf]: readonly X509Certificate[], nowMs: number): CertificateRefusal | null {
    if (this.revoked.has(leaf.fingerprint256)) return { reason: "revoked", text: "it is revoked" };
    if (Date.parse(leaf.validTo) <= nowMs) return { reason: "expired", text: "it has expired" };
    const signers = this.authorities.map((each) => new X509Certificate(each.certificatePem));
    const isSigned = signers.some(({ publicKey }) => leaf.verify(publicKey));
    return isSigned ? null : { reason: "untrusted", text: "no authority has signed it" };
  }
}

export class TlsRoom {
  readonly authority: CertificatePair;
  readonly credentials: TestCredentials;

  private constructor(authority: CertificatePair, credentials: TestCredentials) {
    this.authority = authority;
    this.credentials = credentials;
  }

  /** With authorities for clients unless `asksClients` is false. */
  static async create({ asksClients = true } = {}): Promise<TlsRoom> {
    const authority = await createAuthority();
    const server = await issueNodeCertificate(authority, { name: "node-a" });
    return new TlsRoom(authority, new TestCredentials(server, asksClients ? [authority] : []));
  }

  /** Another certificate for the node. */
  renewed(): Promise<CertificatePair> {
    return issueNodeCertificate(this.authority, { name: "node-a" });
  }

  /** What a client connects with that has no certificate. */
  get anonymous(): ConnectionOptions {
    return { ca: this.authority.certificatePem, servername: "node-a" };
  }

  async client(
    options: ClientCertificateOptions,
    authority: CertificatePair = this.authority,
  ): Promise<ConnectionOptions> {
    const pair = await issueClientCertificate(authority, options);
    return { ...this.anonymous, cert: pair.certificatePem, key: pair.privateKeyPem };
  }
}

/** Of a client's own certificate, as X509Certificate has it. */
export function fingerprintOf({ cert }: ConnectionOptions): string {
  return new X509Certificate(cert as string).fingerprint256;
}
