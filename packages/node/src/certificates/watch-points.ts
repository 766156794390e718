/**
 * Where a path can change. A file is reached through links, and each can be turned to another place: Kubernetes turns
 * `..data`, not the file.
 *
 *   /etc/certs/tls.crt -> ..data/tls.crt,  ..data -> ..2026_01_01
 *   watched: tls.crt and ..data in /etc/certs, tls.crt in /etc/certs/..2026_01_01
 */
import { lstatSync, readlinkSync } from "node:fs";
import { dirname, join, parse, resolve, sep } from "node:path";
import { LINKS_MAX } from "./limits.ts";

/** Names in a directory that matter, or all of them. */
export type WatchedNames = Set<string> | "all";

/** By directory. A path that ends in a separator is a directory of which every file matters. */
export function watchPoints(paths: readonly string[]): ReadonlyMap<string, WatchedNames> {
  const points = new Map<string, WatchedNames>();
  for (const path of paths) {
    const end = follow(resolve(path), points);
    if (path.endsWith(sep) && end !== null) points.set(end, "all");
  }
  return points;
}

/** Where the path ends, after all links; null when it leads nowhere. */
function follow(path: string, points: Map<string, WatchedNames>): string | null {
  let place = parse(path).root;
  let rest = partsOf(path);
  let links = 0;
  while (rest.length > 0) {
    const [name, ...others] = rest;
    const entry = join(place, name);
    const target = linkTarget(entry);
    if (target === undefined || target !== null || others.length === 0) add(points, place, name);
    if (target === undefined) return null;
    if (target === null) {
      place = entry;
      rest = others;
    } else {
      if (++links > LINKS_MAX) return null;
      const aim = resolve(dirname(entry), target);
      place = parse(aim).root;
      rest = [...partsOf(aim), ...others];
    }
  }
  return place;
}

function partsOf(path: string): readonly string[] {
  return path
    .slice(parse(path).root.length)
    .split(sep)
    .filter((part) => part !== "");
}

/** Null: no link. Undefined: nothing is there, or it can not be looked at. */
function linkTarget(path: string): string | null | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null;
  } catch {
    return undefined;
  }
}

function add(points: Map<string, WatchedNames>, directory: string, name: string): void {
  const names = points.get(directory);
  if (names === undefined) points.set(directory, new Set([name]));
  else if (names !== "all") names.add(name);
}
