/** Everything that can be wrong with the files of a node: what spoils them, and what has to be said about it. */
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import type { CertificateErrorCode } from "../../src/certificates/errors.ts";
import { FILE_BYTES_MAX } from "../../src/certificates/limits.ts";
import type { TlsFiles } from "../../src/config/tls-files.ts";
import {
  ALGORITHMS,
  CLIENT_AUTH,
  DAY_MS,
  edKeys,
  makeAuthority,
  makeCertificate,
  makeNode,
  rsaKeys,
  SERVER_AUTH,
  type CertificateOptions,
} from "./certificate-maker.ts";
import { NODE_NAME, type CredentialWorld } from "./credential-world.ts";

export interface BadFiles {
  readonly what: string;
  readonly code: CertificateErrorCode;
  /** What the sentence has in it, besides setting and path. */
  readonly says: RegExp;
  readonly spoil: (world: CredentialWorld) => void;
  /** Other settings than usual, with the files that are good at first. */
  readonly files?: (world: CredentialWorld) => TlsFiles;
}

const PASSPHRASE = "correct horse";

function certificate(changes: CertificateOptions): BadFiles["spoil"] {
  return (world) => world.writePair(makeNode(NODE_NAME, world.authority, changes));
}

function encryptedKey(world: CredentialWorld): void {
  const made = makeNode(NODE_NAME, world.authority);
  world.writePair(made);
  const pem = made.keys.privateKey.export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: PASSPHRASE,
  });
  world.write("node.key", pem);
}

function withPassphraseFile(world: CredentialWorld): TlsFiles {
  return { ...world.files, keyPassphraseFile: world.write("passphrase", `${PASSPHRASE}\n`) };
}

export const BAD_FILES: readonly BadFiles[] = [
  {
    what: "a key that is not the certificate's",
    code: "keyMismatch",
    says: /does not belong to/,
    spoil: (world) => world.write("node.key", makeNode(NODE_NAME, world.authority).keyPem),
  },
  {
    what: "a key of another algorithm",
    code: "keyMismatch",
    says: /does not belong to .*\(ed25519 and ec\)/,
    spoil: (world) =>
      world.write("node.key", edKeys().privateKey.export({ type: "pkcs8", format: "pem" })),
  },
  {
    what: "a certificate that is not the first of its file",
    code: "keyMismatch",
    says: /at place 2: it must come first/,
    spoil(world) {
      const made = makeNode(NODE_NAME, world.authority);
      world.writePair(made);
      world.write("node.crt", world.authority.pem + made.pem);
    },
  },
  {
    what: "a certificate that is cut off",
    code: "malformedCertificate",
    says: /cut off/,
    spoil(world) {
      const made = makeNode(NODE_NAME, world.authority);
      world.writePair(made);
      world.write("node.crt", made.pem.slice(0, made.pem.length / 2));
    },
  },
  {
    what: "a certificate that is damaged inside",
    code: "malformedCertificate",
    says: /damaged/,
    spoil: (world) =>
      world.write("node.crt", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
  },
  {
    what: "a key that is cut off",
    code: "malformedKey",
    says: /cut off/,
    spoil(world) {
      const { keyPem } = makeNode(NODE_NAME, world.authority);
      world.write("node.key", keyPem.slice(0, keyPem.length / 2));
    },
  },
  {
    what: "a key file with a certificate in it",
    code: "malformedKey",
    says: /no private key \(it holds: certificate\)/,
    spoil: (world) => world.write("node.key", world.authority.pem),
  },
  {
    what: "a certificate file with a key in it",
    code: "malformedCertificate",
    says: /no certificate .*\(it holds: private key\)/,
    spoil: (world) => world.write("node.crt", world.authority.keyPem),
  },
  {
    what: "an empty certificate",
    code: "empty",
    says: /is empty/,
    spoil: (world) => world.write("node.crt", ""),
  },
  {
    what: "an empty key",
    code: "empty",
    says: /is empty/,
    spoil: (world) => world.write("node.key", ""),
  },
  {
    what: "a certificate that is not there",
    code: "missingFile",
    says: /is not there/,
    spoil: (world) => rmSync(world.path("node.crt")),
  },
  {
    what: "authorities that are not there",
    code: "missingFile",
    says: /is not there/,
    spoil: (world) => rmSync(world.path("ca.crt")),
  },
  {
    what: "a directory instead of a file",
    code: "wrongKind",
    says: /is a directory/,
    spoil(world) {
      rmSync(world.path("node.key"));
      mkdirSync(world.path("node.key"));
    },
  },
  {
    what: "a file where a directory is on the way",
    code: "wrongKind",
    says: /goes through/,
    spoil: () => undefined,
    files: (world) => ({ ...world.files, certFile: `${world.path("node.crt")}/inside.crt` }),
  },
  {
    what: "a file that is far too large",
    code: "tooLarge",
    says: /larger than 1048576 bytes/,
    spoil: (world) => world.write("node.crt", Buffer.alloc(FILE_BYTES_MAX + 1, 0x20)),
  },
  {
    what: "an expired certificate",
    code: "expired",
    says: /ended on/,
    spoil: certificate({ untilMs: Date.now() - 1000 }),
  },
  {
    what: "a certificate that is not valid yet",
    code: "notYetValid",
    says: /in the future/,
    spoil: certificate({ fromMs: Date.now() + DAY_MS }),
  },
  {
    what: "a client's certificate",
    code: "wrongUse",
    says: /does not allow serverAuth/,
    spoil: certificate({ usages: [CLIENT_AUTH] }),
  },
  {
    what: "a certificate that may only be a server",
    code: "wrongUse",
    says: /does not allow clientAuth/,
    spoil: certificate({ usages: [SERVER_AUTH] }),
  },
  {
    what: "a certificate of another name",
    code: "wrongName",
    says: /it covers: n2/,
    spoil: certificate({ dnsNames: ["n2"] }),
  },
  {
    what: "a certificate of another authority",
    code: "untrusted",
    says: /does not lead to an authority of/,
    spoil: (world) => world.writePair(makeNode(NODE_NAME, makeAuthority("Another"))),
  },
  {
    what: "a certificate of another authority of the same name",
    code: "untrusted",
    says: /does not lead to an authority of/,
    spoil: (world) => world.writePair(makeNode(NODE_NAME, makeAuthority("Test authority"))),
  },
  {
    what: "a short RSA key",
    code: "weak",
    says: /RSA key of 1024 bits/,
    spoil: certificate({ keys: rsaKeys(1024) }),
  },
  {
    what: "a signature with SHA-1",
    code: "weak",
    says: /signed with SHA-1/,
    spoil(world) {
      const authority = makeAuthority("Old authority", { keys: rsaKeys(2048) });
      world.write("ca.crt", authority.pem);
      world.writePair(makeNode(NODE_NAME, authority, { algorithm: ALGORITHMS.rsaSha1 }));
    },
  },
  {
    what: "an authority that is none",
    code: "badAuthority",
    says: /is not an authority/,
    spoil: (world) => world.write("ca.crt", makeCertificate().pem),
  },
  {
    what: "authorities without the one at the end of the chain",
    code: "badAuthority",
    says: /no self-signed authority/,
    spoil: (world) =>
      world.write("ca.crt", makeAuthority("Intermediate", { issuer: world.authority }).pem),
  },
  {
    what: "authorities that have all ended",
    code: "badAuthority",
    says: /only authorities that have ended/,
    spoil: (world) =>
      world.write("ca.crt", makeAuthority("Old", { untilMs: Date.now() - 1000 }).pem),
  },
  {
    what: "authorities that are cut off",
    code: "malformedCertificate",
    says: /cut off/,
    spoil: (world) => world.write("ca.crt", world.authority.pem.slice(0, -40)),
  },
  {
    what: "an encrypted key without a passphrase",
    code: "passphraseMissing",
    says: /is encrypted: put its passphrase into a file/,
    spoil: encryptedKey,
  },
  {
    what: "a wrong passphrase",
    code: "passphraseWrong",
    says: /can not be opened with the passphrase/,
    files: withPassphraseFile,
    spoil(world) {
      encryptedKey(world);
      world.write("passphrase", "wrong\n");
    },
  },
  {
    what: "a revocation list that is none",
    code: "badRevocationList",
    says: /holds no revocation list/,
    spoil: (world) => world.write("list.crl", world.authority.pem),
    files: (world) => ({ ...world.files, crlFile: world.path("list.crl") }),
  },
];

/** Nobody is refused by rights as root. */
export const UNREADABLE: BadFiles = {
  what: "a key that may not be read",
  code: "unreadable",
  says: /may not be read by the user/,
  spoil: (world) => chmodSync(world.path("node.key"), 0),
};
