/**
 * Who may import whom. The order goes one way, so that the pure parts can be read, tested and
 * simulated alone:
 *
 *     test  ->  everything
 *     cli   ->  node, acl
 *     node  ->  storage, acl, raft
 *     storage  ->  raft (types only)
 *     acl, raft  ->  nothing of ours
 */

/** Which of Node's own modules may be imported: all, or those named. */
export type Builtins = "any" | readonly string[];

export interface PackageRule {
  /** Folder below the root. */
  readonly folder: string;
  /** Our packages that it may import, by their short names. */
  readonly values: readonly string[];
  /** Our packages of which it may import types, besides those in `values`. */
  readonly types: readonly string[];
  readonly builtins: Builtins;
}

/** A folder inside a package that promises more than its package does. */
export interface RoomRule {
  /** Folder below the root. */
  readonly folder: string;
  /** Sibling folders whose code it may import; itself is always allowed. */
  readonly values: readonly string[];
  /** Sibling folders of which it may import types. */
  readonly types: readonly string[];
  readonly builtins: Builtins;
  /** Packages from the registry that it may import. */
  readonly registry: readonly string[];
  /** Our packages that it may import. */
  readonly packages: readonly string[];
}

export const packageRules: Readonly<Record<string, PackageRule>> = {
  raft: { folder: "packages/raft", values: [], types: [], builtins: [] },
  acl: { folder: "packages/acl", values: [], types: [], builtins: ["node:crypto"] },
  storage: { folder: "packages/storage", values: [], types: ["raft"], builtins: "any" },
  node: { folder: "packages/node", values: ["storage", "acl", "raft"], types: [], builtins: "any" },
  cli: { folder: "packages/cli", values: ["node", "acl"], types: [], builtins: "any" },
};

export const roomRules: readonly RoomRule[] = [
  {
    folder: "packages/storage/src/keyspace",
    values: [],
    types: [],
    builtins: [],
    registry: [],
    packages: [],
  },
  {
    folder: "packages/node/src/resp",
    values: [],
    types: [],
    builtins: ["node:buffer"],
    registry: [],
    packages: [],
  },
  {
    folder: "packages/node/src/commands",
    values: ["resp"],
    types: ["server", "replica", "access", "audit", "certificates", "at-rest", "members"],
    builtins: ["node:buffer"],
    registry: [],
    packages: ["storage", "acl"],
  },
];
