// @ts-check
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { progress, runQuietly, SetupError } from "./child.mjs";
import {
  installedTool,
  isUsableRelease,
  packagedNodeName,
  toolchainVersions,
} from "./node-release.mjs";

/**
 * npm and pnpm wait minutes for a registry that is not there; a person wants to hear it in seconds.
 * A slow registry is not hit by this: it bounds the waiting between attempts.
 */
const RETRY_SETTINGS = {
  npm_config_fetch_retries: "2",
  npm_config_fetch_retry_mintimeout: "1000",
  npm_config_fetch_retry_maxtimeout: "4000",
};

/** Folder of the repository. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * @typedef {object} Toolchain
 * @property {string} node path of the Node.js binary to use
 * @property {string} pnpm path of pnpm's JavaScript
 * @property {NodeJS.ProcessEnv} env environment in which `node` means that binary
 */

/**
 * Makes the checkout ready to run: Node.js and pnpm, packages as locked, compiled code. Every step
 * looks first whether it is needed; a ready checkout costs well under a second and no network.
 * @returns {Promise<Toolchain>}
 */
export async function prepare() {
  const toolchain = await bringToolchain();
  await installPackages(toolchain);
  await build(toolchain);
  return toolchain;
}

/** @returns {Promise<Toolchain>} */
async function bringToolchain() {
  const { nodeVersion, pnpmVersion } = toolchainVersions(root);
  const ownNodeServes = isUsableRelease(process.versions.node);
  const packageName = packagedNodeName(root);
  if (!ownNodeServes && packageName === null) {
    throw new SetupError(
      `Ferrite needs Node.js 22.18 or newer (not 24.18 to 24.21); this is ${process.versions.node}, ` +
        `and there is no packaged Node.js for ${process.platform}-${process.arch}. ` +
        `Please install Node.js ${nodeVersion} and run this again.`,
    );
  }
  const find = () => ({
    node: ownNodeServes
      ? process.execPath
      : installedTool(root, /** @type {string} */ (packageName), nodeVersion, "bin/node"),
    pnpm: installedTool(root, "pnpm", pnpmVersion, "bin/pnpm.cjs"),
  });
  let found = find();
  if (found.node === null || found.pnpm === null) {
    await installToolchain(ownNodeServes, nodeVersion, pnpmVersion);
    found = find();
  }
  if (found.node === null || found.pnpm === null) {
    throw new SetupError("npm ci ended well but toolchain/node_modules is not complete.");
  }
  const path = `${dirname(found.node)}${delimiter}${process.env["PATH"] ?? ""}`;
  return { node: found.node, pnpm: found.pnpm, env: { ...process.env, PATH: path } };
}

/**
 * @param {boolean} ownNodeServes
 * @param {string} nodeVersion
 * @param {string} pnpmVersion
 * @returns {Promise<void>}
 */
async function installToolchain(ownNodeServes, nodeVersion, pnpmVersion) {
  const what = ownNodeServes
    ? `bringing pnpm ${pnpmVersion}`
    : `bringing Node.js ${nodeVersion} and pnpm ${pnpmVersion}`;
  progress(`${what} (once, from the npm registry)`);
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  if (ownNodeServes) {
    args.push("--omit=optional");
  }
  const npm = findNpm();
  const folder = join(root, "toolchain");
  // `npm start` exports the folder of its own package; npm must not take it for the one to fill.
  const env = { ...process.env, ...RETRY_SETTINGS, npm_config_local_prefix: folder };
  await runQuietly(npm.command, [...npm.args, ...args], { cwd: folder, env, what });
}

/**
 * npm by its own JavaScript where we can see it: a shell shim would swallow signals.
 * @returns {{ command: string, args: string[] }}
 */
function findNpm() {
  const beside = join(dirname(dirname(process.execPath)), "lib/node_modules/npm/bin/npm-cli.js");
  const candidates = [process.env["npm_execpath"] ?? "", beside];
  const script = candidates.find((path) => path.endsWith("npm-cli.js") && existsSync(path));
  return script === undefined
    ? { command: "npm", args: [] }
    : { command: process.execPath, args: [script] };
}

/**
 * Installs exactly what the lockfile says, if that differs from what was installed last.
 * @param {Toolchain} toolchain
 * @returns {Promise<void>}
 */
async function installPackages(toolchain) {
  const stampFile = join(root, "node_modules", ".ferrite-installed");
  const wanted = fingerprint();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === wanted) {
    return;
  }
  const what = "installing packages as locked";
  progress(what);
  // Without a terminal pnpm asks nothing only when it believes to be in CI.
  const env = { ...toolchain.env, ...RETRY_SETTINGS, CI: "true" };
  const args = [toolchain.pnpm, "install", "--frozen-lockfile", "--prefer-offline"];
  await runQuietly(toolchain.node, [...args, "--reporter=append-only", "--loglevel=warn"], {
    cwd: root,
    env,
    what,
  });
  writeFileSync(stampFile, wanted);
}

/**
 * Changes whenever an install could come out differently.
 * @returns {string}
 */
function fingerprint() {
  const packages = join(root, "packages");
  const manifests = readdirSync(packages)
    .map((name) => join(packages, name, "package.json"))
    .filter((path) => existsSync(path))
    .toSorted();
  const files = [
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    ".npmrc",
    "package.json",
    "test/package.json",
  ];
  const hash = createHash("sha256");
  for (const path of [...files.map((name) => join(root, name)), ...manifests]) {
    hash.update(path.slice(root.length)).update("\0").update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex");
}

/**
 * Compiles `ferrite` and the packages under it. The compiler itself finds out what is new; when
 * nothing is, it needs about 0.2 s, so that no second bookkeeping is kept here.
 * @param {Toolchain} toolchain
 * @returns {Promise<void>}
 */
async function build(toolchain) {
  const compiled = existsSync(join(root, "packages/cli/dist"));
  if (!compiled) {
    progress("compiling");
  }
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const args = [compiler, "-b", "packages/cli"];
  await runQuietly(toolchain.node, args, { cwd: root, env: toolchain.env, what: "compiling" });
}
