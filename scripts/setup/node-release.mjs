// @ts-check
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Which Node.js may build and run Ferrite, and where the packaged one lies.
 *
 * This file and its neighbours run on Node.js 20 with nothing installed, hence plain JavaScript.
 */

/**
 * Can this release run the project? 22.18 is the first of its line that runs TypeScript files
 * without a flag (our scripts are such files); 24.18 to 24.21 were measured with ciphers 4 to 8
 * times slower; the test runner supports no odd-numbered lines.
 * @param {string} version such as "22.23.3"
 * @returns {boolean}
 */
export function isUsableRelease(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major === 22) {
    return minor >= 18;
  }
  if (major === 24) {
    return minor < 18 || minor > 21;
  }
  return major >= 26;
}

/**
 * The exact versions that the toolchain folder brings.
 * @param {string} root folder of the repository
 * @returns {{ nodeVersion: string, pnpmVersion: string }}
 */
export function toolchainVersions(root) {
  const manifest = readJson(join(root, "toolchain", "package.json"));
  const nodeVersion = Object.values(manifest.optionalDependencies)[0];
  return { nodeVersion, pnpmVersion: manifest.dependencies.pnpm };
}

/**
 * The name of the npm package that holds a Node.js for this machine, or null where there is none:
 * the packaged binaries need glibc or an Intel Mac.
 * @param {string} root
 * @returns {string | null}
 */
export function packagedNodeName(root) {
  const manifest = readJson(join(root, "toolchain", "package.json"));
  const name = `node-${process.platform}-${process.arch}`;
  if (!(name in manifest.optionalDependencies)) {
    return null;
  }
  return process.platform === "linux" && !runsOnGlibc() ? null : name;
}

/**
 * Path of an installed toolchain package's file if it is there in the wanted version.
 * @param {string} root
 * @param {string} packageName
 * @param {string} version
 * @param {string} file path inside the package
 * @returns {string | null}
 */
export function installedTool(root, packageName, version, file) {
  const folder = join(root, "toolchain", "node_modules", packageName);
  const manifest = join(folder, "package.json");
  const path = join(folder, file);
  if (!existsSync(manifest) || !existsSync(path)) {
    return null;
  }
  return readJson(manifest).version === version ? path : null;
}

function runsOnGlibc() {
  const report = /** @type {any} */ (process.report?.getReport());
  return Boolean(report?.header?.glibcVersionRuntime);
}

/**
 * @param {string} path
 * @returns {any}
 */
function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}
