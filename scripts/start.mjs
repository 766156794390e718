// @ts-check
// `npm start`: a three-node cluster on this machine. Arguments go on to `ferrite dev`.
import { join } from "node:path";

import { progress, runInForeground, SetupError } from "./setup/child.mjs";
import { prepare, root } from "./setup/prepare.mjs";

try {
  const toolchain = await prepare();
  const ferrite = join(root, "packages/cli/dist/bin.js");
  const args = ["--enable-source-maps", ferrite, "dev", ...process.argv.slice(2)];
  process.exitCode = await runInForeground(toolchain.node, args, {
    // Relative paths in the arguments (`--data-dir D`) mean the folder the person stands in.
    cwd: process.env["INIT_CWD"] ?? process.cwd(),
    env: toolchain.env,
  });
} catch (error) {
  if (!(error instanceof SetupError)) {
    throw error;
  }
  progress(error.message);
  process.exitCode = 1;
}
