/** `ferrite certs init|node|client`: certificates without a second tool. */
import { Command, InvalidArgumentError } from "commander";
import { AUTHORITY_DAYS_DEFAULT, DAYS_MAX, createAuthority } from "./authority.ts";
import type { CertificatePair } from "./authority.ts";
import {
  authorityPaths,
  clientPaths,
  nodePaths,
  readAuthority,
  refuseExisting,
  writePair,
} from "./certificate-files.ts";
import type { CertificatePaths } from "./certificate-files.ts";
import { CertificateError } from "./errors.ts";
import {
  CLIENT_DAYS_DEFAULT,
  NODE_DAYS_DEFAULT,
  issueClientCertificate,
  issueNodeCertificate,
} from "./issue.ts";

export const CERTIFICATE_DIRECTORY_DEFAULT = "certs";

interface CommonOptions {
  readonly out: string;
  readonly days: number;
  readonly force: boolean;
}

/** Where the sub-commands print; tests give their own. */
export interface CertsOutput {
  print(line: string): void;
}

const STANDARD_OUTPUT: CertsOutput = {
  print(line) {
    process.stdout.write(`${line}\n`);
  },
};

/**
 * The `certs` sub-command, to be added to the program. A CertificateError becomes commander's one-line error with
 * exit status 1; anything else is a defect and is thrown on.
 */
export function certsCommand(output: CertsOutput = STANDARD_OUTPUT): Command {
  const command = new Command("certs").description(
    "make the certificates nodes and clients prove themselves with",
  );
  addInit(command, output);
  addNode(command, output);
  addClient(command, output);
  return command;
}

function addInit(parent: Command, output: CertsOutput): void {
  const command = withCommonOptions(
    parent.command("init").description("make a certificate authority for a cluster"),
    AUTHORITY_DAYS_DEFAULT,
  );
  command.action(async (options: CommonOptions) => {
    const paths = authorityPaths(options.out);
    await reporting(command, async () => {
      await make(paths, options, () => createAuthority({ days: options.days }));
      output.print(`Authority: ${paths.certFile} (give it to every node and client)`);
      output.print(`Its key:   ${paths.keyFile} (keep it secret, and away from the nodes)`);
      output.print(`Next:      ferrite certs node NAME --host ADDRESS --out ${options.out}`);
    });
  });
}

function addNode(parent: Command, output: CertsOutput): void {
  const command = withCommonOptions(
    parent
      .command("node")
      .description("make a certificate for a node, signed by the authority in --out")
      .argument("<name>", "the node's name in the cluster (node-name)"),
    NODE_DAYS_DEFAULT,
  )
    .option(
      "--host <host>",
      "a DNS name or IP address clients reach it by (repeatable)",
      collect,
      [],
    )
    .option("--no-loopback", "leave out localhost, 127.0.0.1 and ::1");
  command.action(
    async (
      name: string,
      options: CommonOptions & { readonly host: string[]; readonly loopback: boolean },
    ) => {
      const paths = nodePaths(options.out, name);
      await reporting(command, async () => {
        refuseReserved(name);
        await make(paths, options, async () =>
          issueNodeCertificate(await readAuthority(options.out), {
            name,
            hosts: options.host,
            loopback: options.loopback,
            days: options.days,
          }),
        );
        output.print(`Node ${name}: ${paths.certFile}, key ${paths.keyFile}`);
        output.print("Its configuration:");
        output.print(`  peer-tls-cert-file ${paths.certFile}`);
        output.print(`  peer-tls-key-file ${paths.keyFile}`);
        output.print(`  peer-tls-ca-cert-file ${authorityPaths(options.out).certFile}`);
      });
    },
  );
}

function addClient(parent: Command, output: CertsOutput): void {
  const command = withCommonOptions(
    parent
      .command("client")
      .description("make a certificate for a client program, signed by the authority in --out")
      .argument("<name>", "the client's name"),
    CLIENT_DAYS_DEFAULT,
  );
  command.action(async (name: string, options: CommonOptions) => {
    const paths = clientPaths(options.out, name);
    await reporting(command, async () => {
      await make(paths, options, async () =>
        issueClientCertificate(await readAuthority(options.out), { name, days: options.days }),
      );
      output.print(`Client ${name}: ${paths.certFile}, key ${paths.keyFile}`);
      output.print(
        `Use it:   redis-cli --tls --cacert ${authorityPaths(options.out).certFile} ` +
          `--cert ${paths.certFile} --key ${paths.keyFile}`,
      );
    });
  });
}

async function make(
  paths: CertificatePaths,
  options: CommonOptions,
  issue: () => Promise<CertificatePair>,
): Promise<void> {
  if (!options.force) {
    await refuseExisting(paths);
  }
  await writePair(paths, await issue(), { force: options.force });
}

/** These names would overwrite the files of the authority or of a client. */
function refuseReserved(name: string): void {
  if (name === "ca" || name.startsWith("client-")) {
    throw new CertificateError(
      "badArgument",
      `A node can not be named "${name}": "ca" and "client-..." are names of other files in the directory.`,
    );
  }
}

function withCommonOptions(command: Command, daysDefault: number): Command {
  return command
    .option("--out <directory>", "where the files are", CERTIFICATE_DIRECTORY_DEFAULT)
    .option("--days <days>", "how long the certificate is valid", parseDays, daysDefault)
    .option("--force", "overwrite what is there", false);
}

function parseDays(text: string): number {
  const days = Number(text);
  if (!/^\d+$/.test(text) || days < 1 || days > DAYS_MAX) {
    throw new InvalidArgumentError(`A whole number of days from 1 to ${DAYS_MAX} is needed.`);
  }
  return days;
}

function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}

async function reporting(command: Command, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof CertificateError) {
      command.error(`error: ${error.message}`, {
        code: `ferrite.certs.${error.code}`,
        exitCode: 1,
      });
    }
    throw error;
  }
}
