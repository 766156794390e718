/** The kinds of clients that CLIENT LIST TYPE and CLIENT KILL TYPE tell apart. */
import type { Argv } from "../../resp/argv.ts";
import { quotedArgument } from "../refusal.ts";

export type ClientType = "normal" | "master" | "replica" | "pubsub";

const TYPES: readonly (readonly [string, ClientType])[] = [
  ["NORMAL", "normal"],
  ["SLAVE", "replica"],
  ["REPLICA", "replica"],
  ["PUBSUB", "pubsub"],
  ["MASTER", "master"],
];

/** The type an argument names, or null. */
export function readClientType(argv: Argv, index: number): ClientType | null {
  for (const [word, type] of TYPES) if (argv.isWord(index, word)) return type;
  return null;
}

/** Redis' words for any other. */
export function unknownClientType(argv: Argv, index: number): string {
  return `ERR Unknown client type '${quotedArgument(argv, index)}'`;
}

/** What every client here is: nodes talk over links of their own, and nobody subscribes yet. */
export const ONLY_CLIENT_TYPE: ClientType = "normal";
