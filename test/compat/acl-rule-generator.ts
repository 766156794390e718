/**
 * Makes up rules of ACL SETUSER: mostly sensible, often at an edge, sometimes nonsense. Strings are latin1. The rules
 * name only what the vocabulary has, so that two servers can be given the same.
 */
import type { Prng } from "./prng.ts";

/** What rules may speak of. Lower case. */
export interface AclVocabulary {
  /** Commands without sub-commands. */
  readonly commands: readonly string[];
  /** Commands with sub-commands. */
  readonly containers: readonly string[];
  /** "client|kill" */
  readonly subcommands: readonly string[];
  /** Without the "@". */
  readonly categories: readonly string[];
}

/** They meet the keys of `CommandGenerator`. */
const PATTERNS = [
  "*",
  "a",
  "b",
  "a*",
  "key:*",
  "key:1",
  "key:?",
  "key:[12]",
  "[^a]",
  "[a-c]",
  "[c-a]",
  "\\a",
  "",
  "**",
  "*:*",
  "?",
  "K",
  "k",
  "\xff*",
  "\x01\xff",
  "[",
  "[^",
  "[a",
  "\\",
  "%R~a",
  "~a",
  "(a)",
  "a)",
];
/** Neither patterns nor names may hold them. */
const SPOILED_PATTERNS = ["a b", "a\tb", "a\x00b", " ", "a\r\nb", "\x0b"];
const PASSWORDS = ["secret", "", "p w", "\xff\xfe", "'\"", "secret2"];
/** SHA-256 of "secret" and of "secret2". */
const HASHES = [
  "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
  "35224d0d3465d74e855f8d69a136e79c744ea35a675d3393360a327cbf6359a2",
];
const FIRST_ARGUMENTS = ["0", "a", "key:1", "PING", "*", "", "A"];

type Maker = (random: Prng, words: AclVocabulary) => string;

const USER_RULES: readonly Maker[] = [
  () => "on",
  () => "off",
  () => "nopass",
  () => "resetpass",
  () => "sanitize-payload",
  () => "skip-sanitize-payload",
  () => "clearselectors",
  () => "RESET",
];

/** What a selector takes as well. Those that allow something come more often. */
const PERMISSION_RULES: readonly Maker[] = [
  (random, words) => `+${random.pick(words.commands)}`,
  (random, words) => `+${random.pick(words.commands)}`,
  (random, words) => `-${random.pick(words.commands)}`,
  (random, words) => sign(random) + random.pick(words.containers),
  (random, words) => `+${random.pick(words.subcommands)}`,
  (random, words) => `-${random.pick(words.subcommands)}`,
  (random, words) => `+@${random.pick(words.categories)}`,
  (random, words) => `+@${random.pick(words.categories)}`,
  (random, words) => `-@${random.pick(words.categories)}`,
  (random, words) => `+${random.pick(words.commands)}|${random.pick(FIRST_ARGUMENTS)}`,
  (random) => random.pick(["+@all", "+@all", "-@all", "allcommands", "nocommands"]),
  (random) => `~${random.pick(PATTERNS)}`,
  (random) => `~${random.pick(PATTERNS)}`,
  (random) => `%${random.pick(["R", "W", "RW", "WR", "r", "w", "rW"])}~${random.pick(PATTERNS)}`,
  (random) => random.pick(["allkeys", "resetkeys", "resetkeys"]),
  (random) => `&${random.pick(PATTERNS)}`,
  (random) => random.pick(["allchannels", "resetchannels", "resetchannels"]),
];

/**
 * Not among them, as Redis takes them: `%RW` without `~`, a key word, command or category with a zero byte behind it, and
 * a selector with an open quote.
 */
const WRONG_RULES: readonly Maker[] = [
  (random) => random.pick(["", " ", "x", "\x00", "+", "-", "@all", "+@", "-@", "~\x00", "(", ")"]),
  (random) => random.pick(["%", "%~", "%~a", "%X~a", "%RX~a", "%RR~a", "%R&a", "%R a"]),
  (random) => random.pick(["% ~a", "%RWRW~a", "%~R~a", "%%R~a", "%R~", "%R~a b", "%\xff~a"]),
  (random) => sign(random) + random.pick(["nosuch", "@nosuch", "nosuch|x", "nosuch|", "|", "|get"]),
  (random, words) => `-${random.pick(words.commands)}|${random.pick(FIRST_ARGUMENTS)}`,
  (random, words) => `${sign(random)}${random.pick(words.containers)}|nosuch`,
  (random, words) => `${sign(random)}${random.pick(words.containers)}|`,
  (random, words) =>
    `${sign(random)}${random.pick(words.subcommands)}|${random.pick(["x", "", "|"])}`,
  (random, words) => `${sign(random)}${random.pick(words.commands)}|a|b`,
  (random, words) =>
    `${sign(random)}@${random.pick(words.categories)}${random.pick(["x", " ", "|"])}`,
  (random) => `${random.pick(["~", "&", "%R~", "+"])}${random.pick(SPOILED_PATTERNS)}`,
  (random) =>
    random.pick(["onn", "OFF ", "no pass", "allkeys ", "reset keys", "all\r\nkeys", "o\x00n"]),
  (random) => random.pick(["\xff\xfe", "é", "~a\x00", "+get ", "+ get"]),
  (random) =>
    random.pick(["()", "( )", "((~a))", "(~a", "~a)", "(on)", "(~a +nosuch)", "(~a)x", "x(~a)"]),
  (random) => random.pick(["(nopass)", "(reset)", "(() +get)"]),
];

/** Not inside another selector, where Redis would meet a quote that is not followed by a blank. */
const QUOTED_SELECTORS = ['(~a "+get")', "(~a '+get')", '("~\\x61" +get)', '(~a"b")'];

const PASSWORD_RULES: readonly Maker[] = [
  (random) => `>${random.pick(PASSWORDS)}`,
  (random) => `<${random.pick(PASSWORDS)}`,
  (random) => `#${random.pick(HASHES)}`,
  (random) => `!${random.pick(HASHES)}`,
];

/** One word behind ACL SETUSER name; a selector that is opened may be closed by a later word. */
export function makeRule(random: Prng, words: AclVocabulary): string {
  const rule = makePlainRule(random, words);
  return random.oneIn(8) ? changeCase(rule, random) : rule;
}

/** A rule about passwords: separate, because hashing is slow on purpose. */
export function makePasswordRule(random: Prng): string {
  return random.pick(PASSWORD_RULES)(random, NO_WORDS);
}

const NO_WORDS: AclVocabulary = { commands: [], containers: [], subcommands: [], categories: [] };

function makePlainRule(random: Prng, words: AclVocabulary): string {
  if (random.oneIn(12)) return random.pick(WRONG_RULES)(random, words);
  if (random.oneIn(7)) return random.pick(USER_RULES)(random, words);
  if (random.oneIn(7)) return makeSelector(random, words);
  return random.pick(PERMISSION_RULES)(random, words);
}

function makeSelector(random: Prng, words: AclVocabulary): string {
  if (random.oneIn(20)) return random.pick(QUOTED_SELECTORS);
  const rules = Array.from({ length: random.below(5) }, () => {
    return random.pick(random.oneIn(25) ? WRONG_RULES : PERMISSION_RULES)(random, words);
  });
  return `(${rules.join(random.oneIn(10) ? "  " : " ")})`;
}

/** Commands, categories and key words are known in any case; patterns are not the same in another. */
function changeCase(rule: string, random: Prng): string {
  return random.oneIn(2) ? rule.toUpperCase() : (rule[0] ?? "") + rule.slice(1).toUpperCase();
}

function sign(random: Prng): string {
  return random.oneIn(2) ? "+" : "-";
}
