/**
 * Looks at certificates: after every handshake on both sides, and again at open links when something changed.
 *
 * TLS itself is told to ask for a certificate and to go on whatever it thinks of it: the connection is then judged here,
 * with the reason and the certificate at hand for log, metric and trail, before a single byte of ours is sent or one of
 * theirs is read. Both OpenSSL and our own check have to agree that the chain is good.
 */
import { createSecureContext } from "node:tls";
import type { SecureContext, SecureContextOptions, TLSSocket } from "node:tls";
import type { X509Certificate } from "node:crypto";
import { certificateNames } from "../certificates/certificate-names.ts";
import type { LiveCredentials } from "../certificates/live-credentials.ts";
import { presentedChain } from "../certificates/presented-chain.ts";
import { fingerprintOf } from "./connection-refusal.ts";
import type { ConnectionRefusal } from "./connection-refusal.ts";
import { IdentityBindings } from "./identity-bindings.ts";
import { identityOf } from "./member-identity.ts";
import type { MemberIdentity } from "./member-identity.ts";
import type { PeerPolicy } from "./options.ts";
import type { PeerClock } from "./ports.ts";
import type { AlternativeName } from "./san-pattern.ts";
import { secureContextOptions } from "./tls-settings.ts";

/** What a connection was made with; never changes while it lives. */
export interface LinkCertificates {
  /** What the peer showed, its own first. */
  readonly chain: readonly X509Certificate[];
  /** The peer's own. */
  readonly peer: X509Certificate;
  readonly peerFingerprint: string;
  /** Which of this node's certificates the peer was shown. */
  readonly ownFingerprint: string;
  /** Unix ms at which the peer's own ends. */
  readonly peerValidUntilMs: number;
  /** Unix ms at which what this node showed ends. */
  readonly ownValidUntilMs: number;
}

/** A socket that was judged: it has certificates that are good, or there is a refusal. */
export type Judgement =
  | { readonly certificates: LinkCertificates; readonly refusal: null }
  | {
      readonly certificates: null;
      readonly refusal: ConnectionRefusal;
      /** What was shown, if anything was. */
      readonly certificate: X509Certificate | null;
    };

export class PeerGate {
  readonly #credentials: LiveCredentials;
  readonly #selfName: string;
  readonly #policy: () => PeerPolicy;
  readonly #clock: PeerClock;
  readonly #bindings = new IdentityBindings();
  #context: { readonly generation: number; readonly secure: SecureContext } | null = null;

  constructor(
    credentials: LiveCredentials,
    options: { readonly selfName: string; policy(): PeerPolicy },
    clock: PeerClock,
  ) {
    this.#credentials = credentials;
    this.#selfName = options.selfName;
    this.#policy = () => options.policy();
    this.#clock = clock;
  }

  get closesExpired(): boolean {
    return this.#policy().closeExpired;
  }

  /** What new connections show. */
  get ownFingerprint(): string {
    return fingerprintOf(this.#credentials.current().certificate);
  }

  onChange(listener: Parameters<LiveCredentials["onChange"]>[0]): () => void {
    return this.#credentials.onChange(listener);
  }

  /** For a listener; to be set again after a change. */
  serverOptions(): SecureContextOptions {
    return secureContextOptions(this.#credentials.current());
  }

  /** For the next dial. */
  secureContext(): SecureContext {
    const current = this.#credentials.current();
    if (this.#context?.generation !== current.generation) {
      const secure = createSecureContext(secureContextOptions(current));
      this.#context = { generation: current.generation, secure };
    }
    return this.#context.secure;
  }

  /** Why this node can dial nobody now, or null. */
  ownRefusal(): ConnectionRefusal | null {
    const { certificate } = this.#credentials.current();
    if (certificate.validToDate.getTime() > this.#clock.nowMs()) return null;
    return {
      reason: "ownExpired",
      text: `This node's certificate ended on ${certificate.validToDate.toISOString()}: no peer can be dialed until there is a new one.`,
    };
  }

  /** After the handshake, before anything else. */
  judge(socket: TLSSocket): Judgement {
    const chain = presentedChain(socket);
    const peer = chain[0] ?? null;
    const own = socket.getX509Certificate();
    if (peer === null || own === undefined) {
      return refused(peer, "missing", "The other side showed no certificate.");
    }
    if (socket.getProtocol() !== "TLSv1.3") {
      return refused(peer, "tlsVersion", "Peers speak TLS 1.3 only.");
    }
    const refusal = this.#credentials.current().verify(chain, "both", this.#clock.nowMs());
    if (refusal !== null) return refused(peer, refusal.reason, refusal.text);
    if (!socket.authorized) {
      const code = String(socket.authorizationError);
      return refused(peer, "untrusted", `TLS does not take the certificate (${code}).`);
    }
    return { certificates: certificatesOf(chain, peer, own), refusal: null };
  }

  /** Looks again at what an open link was made with. Null: it is still good. */
  review(certificates: LinkCertificates, name: string | null): ConnectionRefusal | null {
    const ended = this.expiry(certificates);
    if (ended !== null) return ended;
    // Where expiry does not end links, everything else still does.
    const nowMs = Math.min(this.#clock.nowMs(), certificates.peerValidUntilMs - 1);
    const refusal = this.#credentials.current().verify(certificates.chain, "both", nowMs);
    if (refusal !== null || name === null) return refusal;
    return this.identityRefusal(certificates.peer, name);
  }

  /** Is one of the two certificates over, and is that to end the link? */
  expiry(certificates: LinkCertificates): ConnectionRefusal | null {
    if (!this.closesExpired) return null;
    const nowMs = this.#clock.nowMs();
    if (certificates.peerValidUntilMs <= nowMs) {
      const text = `The certificate that the link was made with ended on ${dateText(certificates.peerValidUntilMs)}.`;
      return { reason: "expired", text };
    }
    if (certificates.ownValidUntilMs <= nowMs) {
      const text = `This node's certificate that the link was made with ended on ${dateText(certificates.ownValidUntilMs)}.`;
      return { reason: "ownExpired", text };
    }
    return null;
  }

  /** Why the certificate is not the one of the member `name`, or null (S31). */
  identityRefusal(certificate: X509Certificate, name: string): ConnectionRefusal | null {
    const identity = this.#identity(certificate, name);
    const text = this.#problemOf(identity, name);
    return text === null ? null : { reason: "wrongIdentity", text };
  }

  /** A link of the member was accepted under this certificate: a name that a pattern allowed is its own from now on. */
  bind(certificate: X509Certificate, name: string): void {
    const identity = this.#identity(certificate, name);
    if (identity.kind === "bound") this.#bindings.bind(name, identity.san);
  }

  /** The member is none any more. */
  forget(name: string): void {
    this.#bindings.forget(name);
  }

  #problemOf(identity: MemberIdentity, name: string): string | null {
    if (identity.kind === "known") return null;
    if (identity.kind === "none") return identity.text;
    const own = this.#identity(this.#credentials.current().certificate, this.#selfName);
    if (name !== this.#selfName && own.kind === "bound" && own.san === identity.san) {
      return `The name ${identity.san} of the certificate is this node's own: every node needs one of its own.`;
    }
    return this.#bindings.conflict(name, identity.san);
  }

  #identity(certificate: X509Certificate, name: string): MemberIdentity {
    const names = certificateNames(certificate);
    if ("malformed" in names) {
      return {
        kind: "none",
        text: `The certificate has names that can not be read: ${names.reason}.`,
      };
    }
    const alternativeNames = (): AlternativeName[] => [
      ...names.dnsNames.map((value) => ({ kind: "dns" as const, value })),
      ...names.uris.map((value) => ({ kind: "uri" as const, value })),
    ];
    const { allowedSan } = this.#policy();
    return identityOf({ certificate, name, allowedSan, alternativeNames });
  }
}

function certificatesOf(
  chain: readonly X509Certificate[],
  peer: X509Certificate,
  own: X509Certificate,
): LinkCertificates {
  return {
    chain,
    peer,
    peerFingerprint: fingerprintOf(peer),
    ownFingerprint: fingerprintOf(own),
    peerValidUntilMs: peer.validToDate.getTime(),
    ownValidUntilMs: own.validToDate.getTime(),
  };
}

function refused(
  peer: X509Certificate | null,
  reason: ConnectionRefusal["reason"],
  text: string,
): Judgement {
  return { certificate: peer, certificates: null, refusal: { reason, text } };
}

function dateText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
