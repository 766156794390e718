/** Everything that can be wrong with the certificate and key of a node, made anew for the place where it is put. */
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import {
  CLIENT_AUTH,
  DAY_MS,
  SERVER_AUTH,
  dnsName,
  makeAuthority,
  type CertificateOptions,
  type Made,
} from "../../../../packages/node/test/certificates/certificate-maker.ts";
import { sequence } from "../../../../packages/node/test/certificates/der-maker.ts";
import type { Use } from "../tls-cluster.ts";
import { writeSecret, type AuthorityRoom } from "./authority-room.ts";

/** The pair of one use of one node. */
export interface Place {
  readonly room: AuthorityRoom;
  /** The node's. */
  readonly name: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** Named by the settings for rows with a passphrase only. */
  readonly passphraseFile: string;
}

export interface BadFiles {
  readonly what: string;
  /** The file that has to be named in what is said. */
  readonly file: "certFile" | "keyFile";
  /** What is wrong, or what to do about it, in the words of the message. */
  readonly says: RegExp;
  /** Default: both. */
  readonly uses?: readonly Use[];
  /** Whether a passphrase file is set. */
  readonly hasPassphrase?: boolean;
  readonly spoil: (place: Place) => void;
}

const PASSPHRASE = "correct horse battery staple";

/** Takes away what is there, whatever it is, and puts a pair in its place. */
export function putPair(place: Place, made: Made): Made {
  for (const file of [place.certFile, place.keyFile])
    rmSync(file, { recursive: true, force: true });
  writeSecret(place.keyFile, made.keyPem);
  writeSecret(place.certFile, made.pem);
  return made;
}

export function putGoodPair(place: Place): Made {
  return putPair(place, place.room.node(place.name));
}

/** With its key encrypted, and the passphrase in its file. */
export function putEncryptedPair(place: Place, passphrase: string = PASSPHRASE): Made {
  const made = place.room.node(place.name);
  const keyPem = made.keys.privateKey.export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: PASSPHRASE,
  });
  writeSecret(place.passphraseFile, `${passphrase}\n`);
  return putPair(place, { ...made, keyPem: keyPem as string });
}

function certificate(changes: CertificateOptions): BadFiles["spoil"] {
  return (place) => void putPair(place, place.room.node(place.name, changes));
}

function content(file: "certFile" | "keyFile", make: (good: Made) => string): BadFiles["spoil"] {
  return (place) => {
    const good = putGoodPair(place);
    writeSecret(place[file], make(good));
  };
}

export const BAD_FILES: readonly BadFiles[] = [
  {
    what: "a key that is another certificate's",
    file: "keyFile",
    says: /does not belong to/,
    spoil: (place) => {
      putGoodPair(place);
      writeSecret(place.keyFile, place.room.node(place.name).keyPem);
    },
  },
  {
    what: "a certificate that is cut off",
    file: "certFile",
    says: /cut off/,
    spoil: content("certFile", ({ pem }) => pem.slice(0, pem.length / 2)),
  },
  {
    what: "a key that is cut off",
    file: "keyFile",
    says: /cut off/,
    spoil: content("keyFile", ({ keyPem }) => keyPem.slice(0, keyPem.length / 2)),
  },
  {
    what: "an empty certificate",
    file: "certFile",
    says: /is empty/,
    spoil: content("certFile", () => ""),
  },
  {
    what: "an empty key",
    file: "keyFile",
    says: /is empty/,
    spoil: content("keyFile", () => ""),
  },
  {
    what: "garbage for a certificate",
    file: "certFile",
    says: /holds no certificate/,
    spoil: content("certFile", () => "\u0001\u0002 neither PEM nor DER \u0003"),
  },
  {
    what: "garbage for a key",
    file: "keyFile",
    says: /holds no private key/,
    spoil: content("keyFile", () => "\u0001\u0002 neither PEM nor DER \u0003"),
  },
  {
    what: "no certificate file",
    file: "certFile",
    says: /is not there/,
    spoil: (place) => {
      putGoodPair(place);
      rmSync(place.certFile);
    },
  },
  {
    what: "a directory for a key",
    file: "keyFile",
    says: /is a directory/,
    spoil: (place) => {
      putGoodPair(place);
      rmSync(place.keyFile);
      mkdirSync(place.keyFile);
    },
  },
  ...unreadable(),
  {
    what: "an expired certificate",
    file: "certFile",
    says: /ended on .*Make a new one/,
    spoil: certificate({ untilMs: Date.now() - 1000 }),
  },
  {
    what: "a certificate that is not valid yet",
    file: "certFile",
    says: /in the future/,
    spoil: certificate({ fromMs: Date.now() + DAY_MS }),
  },
  {
    what: "a client's certificate",
    file: "certFile",
    says: /does not allow serverAuth/,
    spoil: certificate({ usages: [CLIENT_AUTH] }),
  },
  {
    what: "a certificate that may be a server only",
    file: "certFile",
    says: /does not allow clientAuth/,
    uses: ["peer"],
    spoil: certificate({ usages: [SERVER_AUTH] }),
  },
  {
    what: "the certificate of another node",
    file: "certFile",
    says: /it covers: another-node.*ferrite certs node/,
    uses: ["peer"],
    spoil: certificate({ alternativeNames: sequence(dnsName("another-node")) }),
  },
  {
    what: "a certificate of another authority",
    file: "certFile",
    says: /does not lead to an authority/,
    uses: ["peer"],
    spoil: certificate({ issuer: makeAuthority("Another authority") }),
  },
  {
    what: "an encrypted key without a passphrase",
    file: "keyFile",
    says: /is encrypted: put its passphrase into a file and set/,
    spoil: (place) => void putEncryptedPair(place),
  },
  {
    what: "a wrong passphrase",
    file: "keyFile",
    says: /can not be opened with the passphrase/,
    hasPassphrase: true,
    spoil: (place) => void putEncryptedPair(place, "wrong"),
  },
];

/** Nobody is refused by rights as root: there the rows above stand for it. */
function unreadable(): readonly BadFiles[] {
  if (process.getuid?.() === 0) return [];
  return [
    {
      what: "a key that may not be read",
      file: "keyFile",
      says: /may not be read by the user/,
      spoil: (place) => {
        putGoodPair(place);
        chmodSync(place.keyFile, 0);
      },
    },
  ];
}
