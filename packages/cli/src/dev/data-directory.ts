/** The folder of a development cluster: checked, made, and filled with certificates and configuration files. */
import { mkdir, readdir, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CliError } from "../errors.ts";
import { configText, type CertificatePaths, type DevOptions, type PlannedNode } from "./plan.ts";

/** A log file beyond this is set aside at the next start; one older one is kept. */
export const LOG_FILE_BYTES_MAX: number = 16 * 1024 * 1024;

/** The client whose certificate is made with those of the nodes. */
const DEVELOPMENT_CLIENT = "dev";

/** Makes everything the nodes need. Throws CliError when the folder holds a cluster of another size. */
export async function prepareDataDirectory(
  options: DevOptions,
  nodes: readonly PlannedNode[],
): Promise<void> {
  const { dataDirectory, settings } = options;
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  await refuseOtherSize(dataDirectory, nodes);
  const needed = options.tls || nodes.length > 1;
  const certificates = needed ? await makeCertificates(dataDirectory, nodes) : null;
  for (const node of nodes) {
    const text = configText(node, {
      nodes,
      certificates: certificates?.get(node.name) ?? null,
      settings,
    });
    // Settings may hold a password.
    await writeFile(node.configFile, text, { mode: 0o600 });
    await setAsideLargeLog(node.logFile);
  }
}

async function makeCertificates(
  dataDirectory: string,
  nodes: readonly PlannedNode[],
): Promise<ReadonlyMap<string, CertificatePaths>> {
  // Slow to load, and a cluster of one without TLS has no use for it.
  const certs = await import("../certs/index.ts");
  const directory = certificateDirectory(dataDirectory);
  const files = await certs.ensureDevelopmentCertificates({
    directory,
    nodeNames: nodes.map((node) => node.name),
  });
  await certs.ensureDevelopmentClient({ directory, name: DEVELOPMENT_CLIENT });
  return files;
}

function certificateDirectory(dataDirectory: string): string {
  return join(dataDirectory, "certs");
}

/** Files for a client program, ready to be used: names of flags of redis-cli, and paths. */
export function clientCertificateFlags(
  dataDirectory: string,
): readonly (readonly [string, string])[] {
  const directory = certificateDirectory(dataDirectory);
  return [
    ["--cacert", join(directory, "ca.crt")],
    ["--cert", join(directory, `client-${DEVELOPMENT_CLIENT}.crt`)],
    ["--key", join(directory, `client-${DEVELOPMENT_CLIENT}.key`)],
  ];
}

/** Members are fixed when a cluster is formed: with other members its data would be of no use. */
async function refuseOtherSize(directory: string, nodes: readonly PlannedNode[]): Promise<void> {
  const names = await readdir(directory);
  const present = names.filter((name) => /^node\d+$/.test(name)).length;
  if (present === 0 || present === nodes.length) return;
  throw new CliError(
    "dataDirectory",
    `${directory} holds a cluster of ${present} node${present === 1 ? "" : "s"}. ` +
      `Start it with --nodes ${present}, or give the new one another --data-dir.`,
  );
}

async function setAsideLargeLog(path: string): Promise<void> {
  const size = await sizeOf(path);
  if (size > LOG_FILE_BYTES_MAX) await rename(path, `${path}.1`);
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}
