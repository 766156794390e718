/** Finds the certificate that is meant: by its file, or by the name of its node or client. */
import "./reflect-metadata.ts";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import * as x509 from "@peculiar/x509";
import type { World } from "../world.ts";
import { readNamedFile } from "./certificate-files.ts";
import { shown } from "./certs-options.ts";
import { keyFileOf, withoutClientPrefix, type DirectoryLayout } from "./directory-layout.ts";
import { CertificateError } from "./errors.ts";

/** Whether this is meant to be a file: it looks like one, or is one. */
export function looksLikeFile(world: World, target: string): boolean {
  return (
    /[/\\]|\.(crt|pem|cer|old)$/.test(target) || existsSync(resolve(world.workingDirectory, target))
  );
}

/**
 * The file of a certificate.
 * @throws CertificateError notFound, badArgument when a node and a client have the name
 */
export function certificateFile(world: World, layout: DirectoryLayout, target: string): string {
  if (looksLikeFile(world, target)) return resolve(world.workingDirectory, target);
  const name = withoutClientPrefix(target);
  const node = layout.node(target).certFile;
  const client = layout.client(name).certFile;
  const found = [...new Set([node, client])].filter((file) => existsSync(file));
  const [first, second] = found;
  if (first === undefined) {
    const [one, other] = [node, client].map((file) => shown(world, file));
    throw new CertificateError(
      "notFound",
      `There is no certificate of "${target}": neither ${one} nor ${other}. Name its file, or the directory with --out.`,
    );
  }
  if (second === undefined) return first;
  throw new CertificateError(
    "badArgument",
    `"${target}" is a node and a client here: name the file, ${shown(world, first)} or ${shown(world, second)}.`,
  );
}

/** The key's file: as given, or as it is called here. @throws CertificateError badArgument */
export function keyFileFor(world: World, certFile: string, given: string | undefined): string {
  const file = given === undefined ? keyFileOf(certFile) : resolve(world.workingDirectory, given);
  if (file !== null) return file;
  throw new CertificateError(
    "badArgument",
    `Which file has the key of ${shown(world, certFile)} can not be told from its name: give it with --key.`,
  );
}

/** The first certificate of a file, which is the one it is about. @throws CertificateError notFound, badCertificate */
export async function readCertificate(
  world: World,
  certFile: string,
): Promise<x509.X509Certificate> {
  const bytes = await readNamedFile(certFile);
  try {
    const [pem] = x509.PemConverter.decodeWithHeaders(bytes.toString("latin1")).filter(
      ({ type }) => type === "CERTIFICATE",
    );
    return new x509.X509Certificate(pem === undefined ? new Uint8Array(bytes) : pem.rawData);
  } catch (cause) {
    throw new CertificateError(
      "badCertificate",
      `${shown(world, certFile)} does not hold a certificate.`,
      { cause },
    );
  }
}
