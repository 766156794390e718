import { existsSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, posix } from "node:path";

import { listFiles } from "../source-files.ts";
import { findImports, type ImportStatement } from "./imports.ts";
import {
  packageRules,
  roomRules,
  type Builtins,
  type PackageRule,
  type RoomRule,
} from "./rules.ts";

export interface BoundaryReport {
  readonly problems: readonly string[];
  readonly fileCount: number;
  readonly importCount: number;
}

const OURS = "@ferrite/";
const builtinNames = new Set(builtinModules);

/** Checks every source file of the packages below `root` against the import order. */
export function checkBoundaries(root: string): BoundaryReport {
  const problems: string[] = [];
  let fileCount = 0;
  let importCount = 0;
  for (const [name, rule] of Object.entries(packageRules)) {
    const files = listFiles(root, `${rule.folder}/src`, [".ts", ".mts"]);
    if (files.length === 0) {
      problems.push(`${rule.folder}/src: no source file was found, so nothing was checked`);
      continue;
    }
    const declared = declaredDependencies(root, rule.folder);
    problems.push(...checkManifest(rule, declared));
    for (const file of files) {
      const imports = findImports(readFileSync(join(root, file), "utf8"));
      fileCount += 1;
      importCount += imports.length;
      for (const statement of imports) {
        const reason = explain(name, rule, declared, file, statement);
        if (reason !== null) {
          problems.push(`${file}:${statement.line}: ${statement.specifier}: ${reason}`);
        }
      }
    }
  }
  problems.push(...emptyRooms(root));
  return { problems, fileCount, importCount };
}

/** Why this import is not allowed, or null if it is. */
function explain(
  packageName: string,
  rule: PackageRule,
  declared: ReadonlySet<string>,
  file: string,
  statement: ImportStatement,
): string | null {
  const { specifier } = statement;
  const room = roomRules.find((candidate) => file.startsWith(`${candidate.folder}/`));
  if (specifier.startsWith(".")) {
    return explainRelative(rule, room, file, statement);
  }
  if (isBuiltin(specifier)) {
    return explainBuiltin(room?.builtins ?? rule.builtins, specifier);
  }
  const target = packageOf(specifier);
  if (!declared.has(target)) {
    return `not declared in ${rule.folder}/package.json`;
  }
  if (target.startsWith(OURS)) {
    return explainOurs(packageName, rule, room, target.slice(OURS.length), statement);
  }
  return room === undefined || room.registry.includes(target)
    ? null
    : `${room.folder} imports no package from the registry`;
}

function explainRelative(
  rule: PackageRule,
  room: RoomRule | undefined,
  file: string,
  statement: ImportStatement,
): string | null {
  const target = posix.join(dirname(file), statement.specifier);
  if (!target.startsWith(`${rule.folder}/src/`)) {
    return `leaves ${rule.folder}/src; other packages are imported by name, tests never`;
  }
  if (room === undefined || target.startsWith(`${room.folder}/`)) {
    return null;
  }
  const sibling = posix.relative(dirname(room.folder), target).split("/")[0];
  const allowed =
    room.values.includes(sibling) || (statement.typeOnly && room.types.includes(sibling));
  const kind = statement.typeOnly ? "types" : "code";
  return allowed ? null : `${room.folder} may not import ${kind} of ${sibling}`;
}

function explainBuiltin(allowed: Builtins, specifier: string): string | null {
  if (!specifier.startsWith("node:")) {
    return "Node's own modules are written with node: in front";
  }
  return allowed === "any" || allowed.includes(specifier)
    ? null
    : "this folder is pure: no input, output, clock or timers";
}

function explainOurs(
  packageName: string,
  rule: PackageRule,
  room: RoomRule | undefined,
  target: string,
  statement: ImportStatement,
): string | null {
  // Which doors a package has is its `exports`; the compiler finds an import of anything else.
  if (room !== undefined && !room.packages.includes(target)) {
    return `${room.folder} may not import ${target}`;
  }
  if (rule.values.includes(target)) {
    return null;
  }
  if (rule.types.includes(target)) {
    return statement.typeOnly ? null : `${packageName} may import only types of ${target}`;
  }
  return `${packageName} may not import ${target}`;
}

function checkManifest(rule: PackageRule, declared: ReadonlySet<string>): string[] {
  return [...declared]
    .filter((name) => name.startsWith(OURS))
    .map((name) => name.slice(OURS.length))
    .filter((name) => !rule.values.includes(name) && !rule.types.includes(name))
    .map((name) => `${rule.folder}/package.json: may not depend on ${name}`);
}

/** A room that was renamed would be checked no more, in silence. */
function emptyRooms(root: string): string[] {
  return roomRules
    .filter((room) => listFiles(root, room.folder, [".ts"]).length === 0)
    .map((room) => `${room.folder}: no source file was found, so nothing was checked`);
}

function declaredDependencies(root: string, folder: string): ReadonlySet<string> {
  const path = join(root, folder, "package.json");
  if (!existsSync(path)) {
    return new Set();
  }
  const manifest: { dependencies?: Record<string, string> } = JSON.parse(
    readFileSync(path, "utf8"),
  );
  return new Set(Object.keys(manifest.dependencies ?? {}));
}

function packageOf(specifier: string): string {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith("node:") || builtinNames.has(specifier);
}
