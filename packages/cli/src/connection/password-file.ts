/** Passwords and passphrases from files and standard input: one line of text. */
import { readFile } from "node:fs/promises";
import { CliError } from "../errors.ts";
import type { World } from "../world.ts";

/** Longer than any password; a wrong path is noticed before it is sent anywhere. */
const PASSWORD_BYTES_MAX = 4096;

/** The password in `file`, or in standard input for "-"; `noun` is what errors call it. @throws CliError badArgument */
export async function readPasswordFile(
  world: World,
  file: string,
  noun = "password",
): Promise<string> {
  if (file === "-") return readPasswordInput(world, noun);
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new CliError("badArgument", `${file} can not be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return onlyLine(bytes, file, noun);
}

/** The password that standard input holds. @throws CliError badArgument */
export async function readPasswordInput(world: World, noun = "password"): Promise<string> {
  return onlyLine(await world.input.readAll(), "standard input", noun);
}

/** Without the line end that editors and `echo` put there. */
function onlyLine(bytes: Buffer, source: string, noun: string): string {
  if (bytes.length > PASSWORD_BYTES_MAX) {
    throw new CliError(
      "badArgument",
      `${source} holds more than ${PASSWORD_BYTES_MAX} bytes: that is no ${noun}`,
    );
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CliError("badArgument", `${source} holds something that is not text`);
  }
  const line = text.replace(/\r?\n$/, "");
  if (line === "") throw new CliError("badArgument", `${source} holds no ${noun}`);
  if (/[\r\n]/.test(line)) throw new CliError("badArgument", `${source} holds more than one line`);
  return line;
}
