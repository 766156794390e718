// @ts-check
// `npm test`: every gate and every suite that fits in twenty minutes. `--long`: the longer ones.
import { join } from "node:path";

import { progress, runInForeground, SetupError } from "./setup/child.mjs";
import { prepare, root } from "./setup/prepare.mjs";

try {
  const toolchain = await prepare();
  const args = [join(root, "scripts/suites/main.ts"), ...process.argv.slice(2)];
  process.exitCode = await runInForeground(toolchain.node, args, {
    cwd: root,
    env: toolchain.env,
  });
} catch (error) {
  if (!(error instanceof SetupError)) {
    throw error;
  }
  progress(error.message);
  process.exitCode = 1;
}
