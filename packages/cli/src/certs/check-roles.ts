/** What is wrong with a pair of files in one of its roles, in the words of the node that would use or meet it. */
import { inspectCredentials, type CredentialInspection } from "@ferrite/node/certificates";
import type { CertificateDescription } from "./describe-files.ts";

export const ROLES = ["client", "peer", "server"] as const;

/**
 * server: what clients are shown by a node. peer: what nodes show each other. client: what a program shows to a node.
 */
export type Role = (typeof ROLES)[number];

export interface CheckedFiles {
  /** Absolute paths. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly keyPassphraseFile: string | null;
  readonly caFile: string | null;
  readonly crlFile: string | null;
}

export interface CheckOptions {
  readonly nodeName?: string;
  readonly allowedSans: readonly string[];
  readonly nowMs: number;
}

export interface RoleReport {
  readonly role: Role;
  /** Why it would be refused, or not be used at all. Empty: it is good. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** The names of our options in the place of settings: that is what was given here. */
const OPTION_NAMES = {
  cert: "--cert",
  key: "--key",
  passphrase: "--key-passphrase-file",
  authorities: "--ca",
  authorityDirectory: "--ca",
  revocations: "--crl",
};

/** What a role is called inside of a node, who meets it, and as what it is judged by them. */
const MEANINGS = {
  server: { use: "clients", usage: "server", other: "A client" },
  peer: { use: "peers", usage: "both", other: "Another node" },
  client: { use: "syslog", usage: "client", other: "A node" },
} as const;

/** Reads and judges the files, with the proof by a handshake that a node does before it uses them. */
export async function checkRole(
  role: Role,
  files: CheckedFiles,
  options: CheckOptions,
): Promise<RoleReport> {
  const { use, usage, other } = MEANINGS[role];
  const { nodeName, allowedSans, nowMs } = options;
  const inspection = await inspectCredentials({ ...files, caDirectory: null }, use, {
    ...(nodeName === undefined ? {} : { nodeName }),
    allowedSans,
    staleLists: "refuse",
    settings: OPTION_NAMES,
    nowMs,
  });
  const problems = inspection.problems.map(({ text }) => text);
  const verdict = inspection.verdicts?.[usage] ?? null;
  if (verdict !== null && !isSaid(inspection, verdict.reason)) {
    problems.push(`${other} that knows --ca refuses it: ${verdict.text}.`);
  }
  // That something is wrong between it and the authorities has been said: they were given to be asked.
  const warnings = inspection.warnings.filter((text) => verdict === null || !text.includes("--ca"));
  return { role, problems, warnings };
}

/** Whether the inspection itself has found the same. */
function isSaid(inspection: CredentialInspection, reason: string): boolean {
  const codes = inspection.problems.map(({ code }) => code as string);
  return codes.includes(reason) || (reason === "malformed" && codes.length > 0);
}

/** The roles that a certificate was made for. */
export function rolesOf(certificate: Pick<CertificateDescription, "uses"> | null): Role[] {
  const uses = certificate?.uses ?? [];
  const [isServer, isClient] = [uses.includes("server"), uses.includes("client")];
  if (isServer && isClient) return ["server", "peer"];
  return isClient ? ["client"] : ["server"];
}
