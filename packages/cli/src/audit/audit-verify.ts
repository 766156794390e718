/** `ferrite audit verify`: whether the files of a trail are whole. Needs no node, unless it is asked for the anchor. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import {
  AuditError,
  findTrailFiles,
  nodeOfTrail,
  readChainKey,
  verifyTrail,
  type Anchor,
  type ChainKey,
  type VerificationReport,
} from "@ferrite/node/audit";
import { parseHostPort } from "@ferrite/node/config";
import { Command, InvalidArgumentError } from "commander";
import { CliError } from "../errors.ts";
import { printable } from "../terminal/table.ts";
import type { ConnectionFlags } from "../connection/connection-options.ts";
import { parseLocation } from "../connection/node-location.ts";
import { tlsFlags, withTls, type TlsFlags } from "../connection/tls-options.ts";
import { withSession } from "../connection/operator-login.ts";
import type { World } from "../world.ts";
import { readAnchors } from "./anchors.ts";

type NodeAddress = Pick<ConnectionFlags, "host" | "port">;

interface Flags extends TlsFlags {
  readonly anchor?: Anchor;
  readonly node?: NodeAddress;
  readonly keyFile?: string;
  readonly allowRestarts: boolean;
  readonly login?: string;
  readonly loginPasswordFile?: string;
  readonly json: boolean;
}

const ANSWER_TIMEOUT_MS = 15_000;

const NOTES = `
Without --anchor and --node a trail that was cut at its end, or made anew as a whole, can not be told from a whole one;
with the key of audit-key-file only a cut one can not.

The exit status is 0 when nothing is wrong; otherwise 1, and the first record that is broken is named.`;

/** `finish` takes the exit status. */
export function auditVerify(world: World, finish: (code: number) => void): Command {
  return withTls(new Command("verify"))
    .description("verify the hash chain of audit files")
    .argument("<paths...>", "directories of audit files, each one trail; or the files of one")
    .option("--anchor <sequence:hash>", "what the cluster has witnessed of this trail", anchor)
    .option(
      "--node <host:port>",
      "ask this node, or the one of a rediss:// URL, what the cluster has witnessed",
      nodeAddress,
    )
    .option("--key-file <file>", "the key that the trail was made with (audit-key-file)")
    .option("--allow-restarts", "take a chain that was begun anew as a notice", false)
    .option("--login <name>", "log in to --node as this user")
    .option("--login-password-file <file>", "with that user's password; - is standard input")
    .option("--json", "for programs", false)
    .addHelpText("after", NOTES)
    .action(async (paths: readonly string[], flags: Flags) => {
      const reports = await translated(() => verifyAll(world, paths, flags));
      if (flags.json) world.print(JSON.stringify(reports, null, 2));
      else for (const line of reports.flatMap(reportLines)) world.print(line);
      finish(reports.some(({ problem }) => problem !== null) ? 1 : 0);
    });
}

/** What the trail's own code says is for people as it is. */
async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof AuditError || code === "EACCES" || code === "EISDIR") {
      throw new CliError("badArgument", message, { cause: error });
    }
    throw error;
  }
}

async function verifyAll(
  world: World,
  paths: readonly string[],
  flags: Flags,
): Promise<VerificationReport[]> {
  const trails = await groupTrails(paths.map((path) => resolve(world.workingDirectory, path)));
  if (flags.anchor !== undefined && trails.length > 1) {
    throw new CliError("badArgument", "--anchor is of one trail; verify them one by one");
  }
  const key = flags.keyFile === undefined ? null : await readChainKey(flags.keyFile);
  const anchors = flags.node === undefined ? null : await askAnchors(world, flags, flags.node);
  const reports: VerificationReport[] = [];
  for (const files of trails) {
    const witnessed = flags.anchor ?? (anchors === null ? null : await anchorOf(files, anchors));
    reports.push(await verifyOne(files, { key, witnessed, flags }));
  }
  return reports;
}

async function verifyOne(
  files: readonly string[],
  given: {
    readonly key: ChainKey | null;
    readonly witnessed: Anchor | null;
    readonly flags: Flags;
  },
): Promise<VerificationReport> {
  const { key, witnessed, flags } = given;
  return await verifyTrail({ files, key, anchor: witnessed, allowRestarts: flags.allowRestarts });
}

/** Each directory is a trail; files that are named one by one are one together. */
async function groupTrails(paths: readonly string[]): Promise<string[][]> {
  const trails: string[][] = [];
  const single: string[] = [];
  for (const path of paths) {
    const found = await findTrailFiles([path]);
    if ((await stat(path)).isDirectory()) trails.push(found);
    else single.push(...found);
  }
  if (single.length > 0) trails.push(await findTrailFiles(single));
  return trails;
}

async function askAnchors(
  world: World,
  flags: Flags,
  node: NodeAddress,
): Promise<ReadonlyMap<string, Anchor>> {
  const { login, loginPasswordFile } = flags;
  const connection = {
    ...node,
    ...tlsFlags(flags),
    timeout: ANSWER_TIMEOUT_MS,
    json: false,
    ...(login === undefined ? {} : { user: login }),
    ...(loginPasswordFile === undefined ? {} : { loginPasswordFile }),
  };
  return await withSession(world, connection, readAnchors);
}

async function anchorOf(
  files: readonly string[],
  anchors: ReadonlyMap<string, Anchor>,
): Promise<Anchor> {
  const nodeId = await nodeOfTrail(files);
  const found = nodeId === null ? undefined : anchors.get(nodeId);
  if (found !== undefined) return found;
  throw new CliError(
    "notFound",
    `${files[0] ?? ""}: the cluster has witnessed nothing of node ${printable(nodeId ?? "unknown")}`,
  );
}

function reportLines(report: VerificationReport): string[] {
  const { problem, records, last, notices } = report;
  const lines = notices.map((notice) => `note: ${printable(notice)}`);
  if (problem !== null) {
    const place = problem.file === null ? "" : `${problem.file}:${problem.line}: `;
    const which = problem.sequence === null ? "" : `record ${problem.sequence}: `;
    return [...lines, `BROKEN ${printable(`${place}${which}${problem.text}`)}`];
  }
  const against =
    report.anchor === null ? "no anchor given" : `anchor ${report.anchor.sequence} holds`;
  const node = printable(report.nodeId ?? "no node");
  const end = last === null ? "empty" : `${report.firstSequence} to ${last.sequence}`;
  return [...lines, `ok ${node}: ${records} records (${end}) in ${report.files} files, ${against}`];
}

function anchor(text: string): Anchor {
  const match = /^(\d{1,16}):([0-9a-f]{64})$/.exec(text.toLowerCase());
  if (match === null)
    throw new InvalidArgumentError("It must be a sequence, a colon and 64 hex digits.");
  return { sequence: Number(match[1]), hash: match[2] ?? "" };
}

function nodeAddress(text: string): NodeAddress {
  if (text.includes("://")) {
    parseLocation(text);
    return { host: text };
  }
  const address = parseHostPort(text);
  if (address === null) throw new InvalidArgumentError("It must be host:port.");
  return address;
}
