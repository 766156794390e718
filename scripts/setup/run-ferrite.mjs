// @ts-check
import { join } from "node:path";

import { progress, runInForeground, SetupError } from "./child.mjs";
import { prepare, root } from "./prepare.mjs";

/**
 * Brings what is missing and runs the built `ferrite` on the Node.js that the project is tested with.
 * @param {readonly string[]} args
 */
export async function runFerrite(args) {
  try {
    const toolchain = await prepare();
    const ferrite = join(root, "packages/cli/dist/bin.js");
    process.exitCode = await runInForeground(
      toolchain.node,
      ["--enable-source-maps", ferrite, ...args],
      {
        // Relative paths in the arguments (`--data-dir D`) mean the folder the person stands in.
        cwd: process.env["INIT_CWD"] ?? process.cwd(),
        env: toolchain.env,
      },
    );
  } catch (error) {
    if (!(error instanceof SetupError)) {
      throw error;
    }
    progress(error.message);
    process.exitCode = 1;
  }
}
