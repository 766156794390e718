/** Where a user's new password comes from: never from the command line. */
import { randomBytes } from "node:crypto";
import { CliError } from "../errors.ts";
import type { World } from "../world.ts";
import { readPasswordFile, readPasswordInput } from "../connection/password-file.ts";

/** 256 bits, as ACL GENPASS gives. */
const GENERATED_BYTES = 32;

export interface PasswordSource {
  readonly passwordFile?: string;
  readonly stdin: boolean;
  readonly generate: boolean;
  readonly loginPasswordFile?: string;
}

/** To be called before anything is read or asked. @throws CliError badArgument: more than one source */
export function checkSource({
  passwordFile,
  stdin,
  generate,
  loginPasswordFile,
}: PasswordSource): void {
  if ([passwordFile !== undefined, stdin, generate].filter(Boolean).length > 1) {
    throw new CliError("badArgument", "--password-file, --stdin and --generate exclude each other");
  }
  if ((stdin || passwordFile === "-") && loginPasswordFile === "-") {
    throw new CliError("badArgument", "standard input can hold one password, not both");
  }
}

/** @throws CliError badArgument: there is none, or nobody to ask */
export async function newPassword(
  world: World,
  name: string,
  { passwordFile, stdin, generate }: PasswordSource,
): Promise<string> {
  if (generate) return randomBytes(GENERATED_BYTES).toString("hex");
  if (stdin) return readPasswordInput(world);
  return passwordFile === undefined ? askTwice(world, name) : readPasswordFile(world, passwordFile);
}

async function askTwice(world: World, name: string): Promise<string> {
  if (!world.input.isTerminal) {
    throw new CliError(
      "badArgument",
      "there is no terminal to ask for the new password: give it with --password-file or --stdin, or --generate one",
    );
  }
  const password = await world.input.readHidden(`New password of ${name}: `);
  if (password === "") throw new CliError("badArgument", "the password is empty");
  if ((await world.input.readHidden("Once more: ")) === password) return password;
  throw new CliError("badArgument", "the two are not the same");
}
