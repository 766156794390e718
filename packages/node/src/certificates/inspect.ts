/** Says everything about a set of files that a node, a peer or a client would say to them (`ferrite certs check`). */
import type { X509Certificate } from "node:crypto";
import type { TlsFiles } from "../config/tls-files.ts";
import { ChainMemory } from "./chain-memory.ts";
import { subjectText, verifyChain, type ChainUsage } from "./chain.ts";
import { CertificateError, type CertificateProblem } from "./errors.ts";
import type { CertificateRefusal, CredentialUse } from "./live-credentials.ts";
import { examine, type Examination } from "./load-credentials.ts";
import { issuerOf } from "./name-text.ts";
import { peerNameProblem } from "./peer-name.ts";
import { readFiles } from "./read-files.ts";
import { SETTING_NAMES, type SettingNames } from "./source.ts";
import { systemCertificatePorts } from "./system-files.ts";

export interface InspectOptions {
  /** peers: the name that the certificate has to cover. Absent: no name is asked for. */
  readonly nodeName?: string;
  /** peers: peer-allowed-san. */
  readonly allowedSans?: readonly string[];
  /** Default refuse: whoever checks wants to know. */
  readonly staleLists?: "accept" | "refuse";
  /** How sentences call the files; default the settings of the use. */
  readonly settings?: SettingNames;
  /** Unix ms */
  readonly nowMs: number;
}

export interface InspectedCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** Upper-case hex. */
  readonly serial: string;
  /** SHA-256, upper-case hex without colons. */
  readonly fingerprint: string;
  /** Unix ms. */
  readonly validFromMs: number;
  readonly validUntilMs: number;
  /** "ec prime256v1", "rsa 2048", "ed25519" */
  readonly keyKind: string;
  /** As OpenSSL writes them: for people, never to be taken apart. */
  readonly alternativeNames: string;
}

/** What those say who know the authorities and lists of the files; null is good. */
export type Verdicts = Readonly<Record<ChainUsage, CertificateRefusal | null>>;

export interface CredentialInspection {
  /** Why a node would not take the files. Empty: it would. */
  readonly problems: readonly CertificateProblem[];
  readonly warnings: readonly string[];
  /** Own certificate first, then the others of its file; empty when it could not be read. */
  readonly chain: readonly InspectedCertificate[];
  readonly authorities: readonly InspectedCertificate[];
  /** By what the certificate is shown as; null without authorities, or without a certificate. */
  readonly verdicts: Verdicts | null;
  readonly lists: readonly {
    readonly thisUpdateMs: number;
    readonly nextUpdateMs: number | null;
    readonly revokedCount: number;
  }[];
}

/** Reads and checks the files of a use, with the proof by a handshake. Never rejects because of what is in them. */
export async function inspectCredentials(
  files: TlsFiles,
  use: CredentialUse,
  options: InspectOptions,
): Promise<CredentialInspection> {
  const { nodeName, nowMs } = options;
  const source = {
    key: "",
    use,
    files,
    settings: options.settings ?? SETTING_NAMES[use],
    staleLists: options.staleLists ?? ("refuse" as const),
    require:
      use !== "peers" || nodeName === undefined
        ? null
        : (certificate: X509Certificate) =>
            peerNameProblem(certificate, nodeName, options.allowedSans ?? []),
  };
  const silent = (): void => undefined;
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  try {
    const raw = await readFiles(source, systemCertificatePorts(logger).files);
    const found = await examine(raw, source, new ChainMemory(), nowMs);
    return {
      problems: found.problems,
      warnings: found.warnings(nowMs),
      chain: (found.own?.chain ?? []).map(inspected),
      authorities: found.anchors.authorities.map(inspected),
      verdicts: verdictsOf(found, nowMs),
      lists: found.anchors.lists.lists.map(({ thisUpdateMs, nextUpdateMs, serials }) => ({
        thisUpdateMs,
        nextUpdateMs,
        revokedCount: serials.size,
      })),
    };
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    const nothing = { warnings: [], chain: [], authorities: [], verdicts: null, lists: [] };
    return { problems: error.problems, ...nothing };
  }
}

function verdictsOf({ own, anchors }: Examination, nowMs: number): Verdicts | null {
  if (own === null || anchors.authorities.length === 0) return null;
  const verdict = (usage: ChainUsage): CertificateRefusal | null =>
    verifyChain(anchors, own.chain, usage, nowMs);
  return { client: verdict("client"), server: verdict("server"), both: verdict("both") };
}

function inspected(certificate: X509Certificate): InspectedCertificate {
  const { asymmetricKeyType = "unknown", asymmetricKeyDetails } = certificate.publicKey;
  const size = asymmetricKeyDetails?.namedCurve ?? asymmetricKeyDetails?.modulusLength ?? "";
  return {
    subject: subjectText(certificate),
    issuer: issuerOf(certificate).replaceAll("\n", ", "),
    serial: certificate.serialNumber,
    fingerprint: certificate.fingerprint256.replaceAll(":", ""),
    validFromMs: certificate.validFromDate.getTime(),
    validUntilMs: certificate.validToDate.getTime(),
    keyKind: `${asymmetricKeyType} ${size}`.trimEnd(),
    alternativeNames: certificate.subjectAltName ?? "",
  };
}
