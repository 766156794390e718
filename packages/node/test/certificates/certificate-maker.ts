/** Makes keys, certificates and revocation lists for tests, with everything settable, also what no authority would sign. */
import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import {
  bits,
  der,
  identifier,
  integer,
  nameOf,
  octets,
  sequence,
  time,
  truth,
} from "./der-maker.ts";

export const DAY_MS: number = 86_400_000;
export const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
export const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

interface Algorithm {
  readonly identifier: Buffer;
  readonly hash: string | null;
}

export const ALGORITHMS: {
  readonly ecdsaSha256: Algorithm;
  readonly rsaSha256: Algorithm;
  readonly rsaSha1: Algorithm;
  readonly ed25519: Algorithm;
} = {
  ecdsaSha256: { identifier: sequence(identifier("1.2.840.10045.4.3.2")), hash: "sha256" },
  rsaSha256: {
    identifier: sequence(identifier("1.2.840.113549.1.1.11"), der(0x05)),
    hash: "sha256",
  },
  rsaSha1: { identifier: sequence(identifier("1.2.840.113549.1.1.5"), der(0x05)), hash: "sha1" },
  ed25519: { identifier: sequence(identifier("1.3.101.112")), hash: null },
};

export interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export const ecKeys = (): Keys => generateKeyPairSync("ec", { namedCurve: "P-256" });
export const rsaKeys = (modulusLength: number): Keys =>
  generateKeyPairSync("rsa", { modulusLength });
export const edKeys = (): Keys => generateKeyPairSync("ed25519");

export interface Made {
  readonly pem: string;
  readonly der: Buffer;
  readonly keyPem: string;
  readonly keys: Keys;
  readonly subject: Buffer;
  readonly serial: bigint;
}

export interface CertificateOptions {
  readonly subject?: Buffer;
  /** Absent: signed by itself. */
  readonly issuer?: Made;
  readonly keys?: Keys;
  readonly serial?: bigint;
  readonly fromMs?: number;
  readonly untilMs?: number;
  /** Absent: the extension is. */
  readonly usages?: readonly string[];
  readonly dnsNames?: readonly string[];
  /** The whole content of the extension, instead of `dnsNames`. */
  readonly alternativeNames?: Buffer;
  /** Absent: no authority. */
  readonly authority?: { readonly pathLength?: number; readonly keyUsage?: number };
  readonly extensions?: readonly Buffer[];
  readonly algorithm?: Algorithm;
}

let nextSerial = 1000n;

export function makeCertificate(options: CertificateOptions = {}): Made {
  const { issuer } = options;
  const keys = options.keys ?? ecKeys();
  const subject = options.subject ?? nameOf("somebody");
  const serial = options.serial ?? nextSerial++;
  const signer = issuer?.keys ?? keys;
  const algorithm = options.algorithm ?? algorithmOf(signer);
  const nowMs = Date.now();
  const body = sequence(
    der(0xa0, integer(2)),
    integer(serial),
    algorithm.identifier,
    issuer?.subject ?? subject,
    sequence(time(options.fromMs ?? nowMs - DAY_MS), time(options.untilMs ?? nowMs + 90 * DAY_MS)),
    subject,
    keys.publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensionsOf(options))),
  );
  const bytes = sequence(body, algorithm.identifier, bits(signed(algorithm, body, signer)));
  return {
    pem: pem("CERTIFICATE", bytes),
    der: bytes,
    keyPem: keys.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    keys,
    subject,
    serial,
  };
}

/** An authority, signed by itself unless `issuer` is given. */
export function makeAuthority(name: string, options: CertificateOptions = {}): Made {
  return makeCertificate({ subject: nameOf(name), authority: {}, ...options });
}

/** As `ferrite certs node` makes them. */
export function makeNode(name: string, issuer: Made, options: CertificateOptions = {}): Made {
  const usages = [SERVER_AUTH, CLIENT_AUTH];
  return makeCertificate({ subject: nameOf(name), issuer, usages, dnsNames: [name], ...options });
}

function extensionsOf(options: CertificateOptions): readonly Buffer[] {
  const { authority, usages, dnsNames, alternativeNames } = options;
  const extensions: Buffer[] = [...(options.extensions ?? [])];
  if (authority !== undefined) {
    const { pathLength, keyUsage = 0x06 } = authority;
    const limit = pathLength === undefined ? [] : [integer(pathLength)];
    extensions.push(extension("2.5.29.19", sequence(truth(), ...limit), true));
    extensions.push(extension("2.5.29.15", der(0x03, Buffer.from([0x01, keyUsage])), true));
  }
  if (usages !== undefined) {
    extensions.push(extension("2.5.29.37", sequence(...usages.map(identifier))));
  }
  const names =
    alternativeNames ??
    (dnsNames === undefined ? null : sequence(...dnsNames.map((each) => dnsName(each))));
  if (names !== null) extensions.push(extension("2.5.29.17", names));
  return extensions.length === 0 ? [extension("1.2.3.4", sequence())] : extensions;
}

export function dnsName(text: string): Buffer {
  return der(0x82, Buffer.from(text, "latin1"));
}

export function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return sequence(identifier(id), ...(isCritical ? [truth()] : []), octets(value));
}

export interface ListOptions {
  readonly revoked?: readonly (bigint | { readonly serial: bigint; readonly extensions: Buffer })[];
  readonly thisUpdateMs?: number;
  /** Null: the list names none. */
  readonly nextUpdateMs?: number | null;
  readonly number?: number;
  readonly extensions?: readonly Buffer[];
  /** Signs instead of the authority. */
  readonly keys?: Keys;
  readonly algorithm?: Algorithm;
}

/** A revocation list of an authority, as PEM. */
export function makeList(authority: Made, options: ListOptions = {}): string {
  return pem("X509 CRL", makeListDer(authority, options));
}

export function makeListDer(authority: Made, options: ListOptions = {}): Buffer {
  const { revoked = [], nextUpdateMs, number } = options;
  const signer = options.keys ?? authority.keys;
  const algorithm = options.algorithm ?? algorithmOf(signer);
  const nowMs = Date.now();
  const date = time(nowMs - DAY_MS);
  const entries = revoked.map((each) =>
    typeof each === "bigint"
      ? sequence(integer(each), date)
      : sequence(integer(each.serial), date, sequence(each.extensions)),
  );
  const extensions = [
    ...(options.extensions ?? []),
    ...(number === undefined ? [] : [extension("2.5.29.20", integer(number))]),
  ];
  const body = sequence(
    integer(1),
    algorithm.identifier,
    authority.subject,
    time(options.thisUpdateMs ?? nowMs - 1000),
    ...(nextUpdateMs === null ? [] : [time(nextUpdateMs ?? nowMs + 7 * DAY_MS)]),
    ...(entries.length === 0 ? [] : [sequence(Buffer.concat(entries))]),
    ...(extensions.length === 0 ? [] : [der(0xa0, sequence(...extensions))]),
  );
  return sequence(body, algorithm.identifier, bits(signed(algorithm, body, signer)));
}

function algorithmOf(keys: Keys): Algorithm {
  switch (keys.publicKey.asymmetricKeyType) {
    case "rsa":
      return ALGORITHMS.rsaSha256;
    case "ed25519":
      return ALGORITHMS.ed25519;
    default:
      return ALGORITHMS.ecdsaSha256;
  }
}

function signed(algorithm: Algorithm, body: Buffer, keys: Keys): Buffer {
  return sign(algorithm.hash, body, keys.privateKey);
}

export function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
