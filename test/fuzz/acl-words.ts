/** What the fuzz tests of access control share: users over the whole command table, and what can be asked of one. */
import { KeyAccess } from "@ferrite/acl";
import type { AccessRequest, CommandCatalogue, PasswordWork, User } from "@ferrite/acl";
import { formatStoredPassword, hashDigestSync, verifyDigestSync } from "@ferrite/acl";
import { createCommandTable } from "@ferrite/node/simulation";
import { commandCatalogue } from "../../packages/node/src/commands/catalogue.ts";
import type { AclVocabulary } from "../compat/acl-rule-generator.ts";

export const CATALOGUE: CommandCatalogue = commandCatalogue(createCommandTable());

/** The whole command table, as rules name it. */
export const VOCABULARY: AclVocabulary = {
  commands: CATALOGUE.commands.filter(isPlain).map(({ name }) => name),
  containers: CATALOGUE.commands.filter((command) => !isPlain(command)).map(({ name }) => name),
  subcommands: CATALOGUE.commands.flatMap(({ subcommands }) => subcommands.map(({ name }) => name)),
  categories: CATALOGUE.categories,
};

function isPlain(command: { readonly subcommands: readonly unknown[] }): boolean {
  return command.subcommands.length === 0;
}

/** Stands for what nobody may ever see: in rules, behind the sign that makes it a password. */
export const SECRET = "hunter2-canary";
/** A form in which passwords are stored; of no password that anybody knows. */
export const STORED: string = formatStoredPassword({
  iterations: 10,
  salt: Buffer.alloc(16, 7),
  hash: Buffer.alloc(32, 9),
});

/** A rule of its own, or one of several that came as one. */
const IN_PLACE = new RegExp(`^[<>]|[\\s"'][<>]${SECRET}`);
/** A pattern or a first argument may hold quotes and signs: in one without blanks nothing is a rule of its own. */
const ONE_PATTERN = /^(?:~|&|%[rw]{1,2}~|\+[\w.-]+\|)[^\0\t-\r ]*$/i;

/** Whether the secret stands in these rules only as a password: anywhere else it is none, and may be repeated. */
export function isSecretInPlace(rules: readonly string[]): boolean {
  return rules.every((rule) => !rule.includes(SECRET) || standsAsPassword(rule));
}

function standsAsPassword(rule: string): boolean {
  if (!rule.startsWith("(")) return IN_PLACE.test(rule) && !ONE_PATTERN.test(rule);
  // In a selector a quote may begin anywhere in a word and is no part of it.
  const words = rule.slice(1).replaceAll(/["']/g, "").split(/\s+/);
  return words.every((word) => !word.includes(SECRET) || IN_PLACE.test(word));
}

/** Hashes at one iteration: what is tested does not depend on what they cost. */
export const CHEAP_PASSWORDS: PasswordWork = {
  hash: (digest) =>
    Promise.resolve(hashDigestSync(digest, { salt: Buffer.alloc(16, 3), iterations: 1 })),
  verify: (digest, stored) => Promise.resolve(verifyDigestSync(digest, stored)),
  nowMs: () => NOW_MS,
};

/** Between the times that rules may name. */
export const NOW_MS = 1_800_000_000_000;

const ASKED_KEYS = ["a", "key:1", "\xff\x00", ""];

/** The verdicts on every command, with some keys, channels and first arguments: two users that agree here mean the same. */
export function decisionsOf(user: User): string {
  const verdicts: number[] = [];
  for (let id = 0; id < CATALOGUE.size; id++) {
    const key = ASKED_KEYS[id % ASKED_KEYS.length];
    verdicts.push(user.check(request(id, key, KeyAccess.Read)));
    verdicts.push(user.check(request(id, key, KeyAccess.ReadWrite)));
  }
  const channels = ["a", "*", "key:1"].map((channel) => Buffer.from(channel));
  for (const channel of channels) {
    verdicts.push(
      Number(user.maySubscribe(channel, false)),
      Number(user.maySubscribe(channel, true)),
    );
  }
  return verdicts.join("");
}

/** One argument, which is the key, too. */
function request(commandId: number, key: string, access: KeyAccess): AccessRequest {
  const buffer = Buffer.from(key, "latin1");
  return {
    commandId,
    buffer,
    firstArgumentStart: 0,
    firstArgumentEnd: buffer.length,
    keyCount: 1,
    keyStarts: Int32Array.of(0),
    keyEnds: Int32Array.of(buffer.length),
    keyAccess: Uint8Array.of(access),
    channelCount: 0,
    channelStarts: new Int32Array(0),
    channelEnds: new Int32Array(0),
    channelsArePatterns: false,
  };
}
