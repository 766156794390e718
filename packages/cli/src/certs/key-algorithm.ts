/**
 * The kinds of keys certificates may have. ECDSA P-256 unless something else is asked for: small handshakes, and every
 * TLS library takes it. SHA-1 and RSA below 2048 bits do not exist here.
 */
import { webcrypto, type KeyObject } from "node:crypto";
import { CertificateError } from "./errors.ts";

export const KEY_ALGORITHMS = [
  "ecdsa-p256",
  "ecdsa-p384",
  "rsa-2048",
  "rsa-3072",
  "rsa-4096",
  "ed25519",
] as const;

export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

export const KEY_ALGORITHM_DEFAULT: KeyAlgorithm = "ecdsa-p256";

type KeyParameters = webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams | { name: string };
/** How a signature is made with a key. */
export type SigningAlgorithm = { readonly name: string; readonly hash?: string };

const RSA = "RSASSA-PKCS1-v1_5";
const RSA_PUBLIC_EXPONENT: Uint8Array<ArrayBuffer> = new Uint8Array([1, 0, 1]);
/** Beyond this a signature takes so long that handshakes are a way to keep a server busy. */
const RSA_BITS_MAX = 8192;
const RSA_BITS_MIN = 2048;

function rsa(modulusLength: number): KeyParameters {
  return { name: RSA, modulusLength, publicExponent: RSA_PUBLIC_EXPONENT, hash: "SHA-256" };
}

const PARAMETERS: Readonly<Record<KeyAlgorithm, KeyParameters>> = {
  "ecdsa-p256": { name: "ECDSA", namedCurve: "P-256" },
  "ecdsa-p384": { name: "ECDSA", namedCurve: "P-384" },
  "rsa-2048": rsa(2048),
  "rsa-3072": rsa(3072),
  "rsa-4096": rsa(4096),
  ed25519: { name: "Ed25519" },
};

/** Makes a key pair whose private half can be written to a file. */
export async function generateKeys(
  algorithm: KeyAlgorithm = KEY_ALGORITHM_DEFAULT,
): Promise<webcrypto.CryptoKeyPair> {
  const parameters = PARAMETERS[algorithm];
  const keys = await webcrypto.subtle.generateKey(parameters, true, ["sign", "verify"]);
  return keys as webcrypto.CryptoKeyPair;
}

/** How a key of this kind signs: SHA-384 goes with P-384, Ed25519 brings its own. */
export function signingAlgorithmOf(key: webcrypto.CryptoKey): SigningAlgorithm {
  const { name, namedCurve } = key.algorithm as webcrypto.EcKeyAlgorithm;
  if (name === "Ed25519") return { name };
  return { name, hash: namedCurve === "P-384" ? "SHA-384" : "SHA-256" };
}

/**
 * A private key, in the form that signs certificates.
 * @throws CertificateError badAuthority for a kind of key that does not sign here
 */
export async function importSigningKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const { name, ...parameters } = importParameters(key);
  const bytes = key.export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", bytes, { name, ...parameters }, false, ["sign"]);
}

function importParameters(key: KeyObject): { name: string; namedCurve?: string; hash?: string } {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return { name: "Ed25519" };
    case "ec":
      if (details?.namedCurve === "prime256v1") return { name: "ECDSA", namedCurve: "P-256" };
      if (details?.namedCurve === "secp384r1") return { name: "ECDSA", namedCurve: "P-384" };
      break;
    case "rsa": {
      const bits = details?.modulusLength ?? 0;
      if (bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX) return { name: RSA, hash: "SHA-256" };
      break;
    }
    default:
  }
  throw new CertificateError(
    "badAuthority",
    `The authority's key is ${keyName(key)}; it has to be ECDSA P-256 or P-384, RSA of 2048 to 8192 bits, or Ed25519.`,
  );
}

/** A key's kind, for people: "ECDSA P-256", "RSA 3072". */
export function keyName(key: KeyObject): string {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case "ec":
      return `ECDSA ${CURVE_NAMES[details?.namedCurve ?? ""] ?? details?.namedCurve ?? ""}`.trim();
    case "rsa":
    case "rsa-pss":
      return `${key.asymmetricKeyType === "rsa" ? "RSA" : "RSA-PSS"} ${details?.modulusLength ?? ""}`;
    case "ed25519":
      return "Ed25519";
    default:
      return key.asymmetricKeyType ?? "unknown";
  }
}

const CURVE_NAMES: Readonly<Record<string, string>> = {
  prime256v1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
};

/** The kind of a key as it is asked for, or null: one of ours is not like it. */
export function algorithmOfKey(key: KeyObject): KeyAlgorithm | null {
  const name = keyName(key);
  return KEY_ALGORITHMS.find((algorithm) => ALGORITHM_NAMES[algorithm] === name) ?? null;
}

const ALGORITHM_NAMES: Readonly<Record<KeyAlgorithm, string>> = {
  "ecdsa-p256": "ECDSA P-256",
  "ecdsa-p384": "ECDSA P-384",
  "rsa-2048": "RSA 2048",
  "rsa-3072": "RSA 3072",
  "rsa-4096": "RSA 4096",
  ed25519: "Ed25519",
};
