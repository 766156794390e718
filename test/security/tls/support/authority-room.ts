/** An authority of a test, and what it signs: good certificates, and every kind of bad one, written where a node or client reads them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import {
  CLIENT_AUTH,
  SERVER_AUTH,
  dnsName,
  makeAuthority,
  makeCertificate,
  type CertificateOptions,
  type Made,
} from "../../../../packages/node/test/certificates/certificate-maker.ts";
import { der, nameOf, sequence } from "../../../../packages/node/test/certificates/der-maker.ts";

const IP_ADDRESS_TAG = 0x87;
const LOOPBACK: Buffer = der(IP_ADDRESS_TAG, Buffer.from([127, 0, 0, 1]));

/** A client's files and what `node:tls` needs of them. */
export interface ClientFiles {
  readonly made: Made;
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  readonly options: ConnectionOptions;
}

export class AuthorityRoom {
  readonly authority: Made;
  readonly #directory: string;
  #clients = 0;

  /** Files of clients go below `directory`. */
  constructor(directory: string, authority: Made = makeAuthority("Test authority")) {
    this.#directory = directory;
    this.authority = authority;
  }

  /** A node's certificate: server and client, its name, localhost and 127.0.0.1. */
  node(name: string, changes: CertificateOptions = {}): Made {
    return makeCertificate({
      subject: nameOf(name),
      issuer: this.authority,
      usages: [SERVER_AUTH, CLIENT_AUTH],
      alternativeNames: sequence(dnsName(name), dnsName("localhost"), LOOPBACK),
      ...changes,
    });
  }

  /** A client's certificate with that common name, in files. */
  client(name: string, changes: CertificateOptions = {}): ClientFiles {
    return this.files(
      makeCertificate({
        subject: nameOf(name),
        issuer: this.authority,
        usages: [CLIENT_AUTH],
        ...changes,
      }),
    );
  }

  /** Writes what a client connects with. */
  files(made: Made): ClientFiles {
    const directory = join(this.#directory, `client-${++this.#clients}`);
    const certFile = writeSecret(join(directory, "tls.crt"), made.pem);
    const keyFile = writeSecret(join(directory, "tls.key"), made.keyPem);
    const caFile = writeSecret(join(directory, "ca.crt"), this.authority.pem);
    const options = { ...this.anonymous, cert: made.pem, key: made.keyPem };
    return { made, certFile, keyFile, caFile, options };
  }

  /** What a client connects with that has no certificate. */
  get anonymous(): ConnectionOptions {
    return { ca: this.authority.pem, servername: "localhost" };
  }
}

/** Writes a file that only this user may read, and the folders above it. Returns its path. */
export function writeSecret(path: string, content: string | Buffer): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}
