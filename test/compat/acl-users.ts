/**
 * What both servers say of all users (ACL LIST and ACL GETUSER), compared by meaning. redis-server 7.0 does not keep the
 * command rules as they were given: it makes up new ones that allow the same commands, in the order of a hash that differs
 * from start to start. Ferrite keeps them. So Ferrite's command rules are given to redis-server as those of another user:
 * it has to print them as it prints those of its own. All else is compared as it is, and each line of ACL LIST has to say
 * what ACL GETUSER says.
 */
import { readReply } from "../../packages/node/test/commands/reply-tree.ts";
import type { ReplyNode } from "../../packages/node/test/commands/reply-tree.ts";
import { textsOf } from "./acl-vocabulary.ts";
import { encodeWords } from "./requests.ts";
import type { Session } from "./target.ts";

/** Not used by any story. */
const PROBE = "probe";

interface Selector {
  readonly commands: string;
  readonly keys: string;
  readonly channels: string;
}

interface Described extends Selector {
  readonly flags: readonly string[];
  readonly passwordCount: number;
  readonly selectors: readonly Selector[];
  /** The user's line in ACL LIST, passwords aside. */
  readonly line: string;
}

/** What differs, in words; nothing when all users are the same. */
export async function compareUsers(
  theirs: Session,
  ours: Session,
): Promise<{ readonly differences: readonly string[]; readonly compared: number }> {
  const [expected, actual] = await Promise.all([describeAll(theirs), describeAll(ours)]);
  const names = [...expected.keys()];
  const differences = [...actual.keys()].join() === names.join() ? [] : ["other users are listed"];
  for (const name of names) {
    const own = expected.get(name)!;
    const their = actual.get(name);
    if (their === undefined) continue;
    const read = await asRedisPrints(theirs, their);
    const isComposed = [own, their].every((user) => compose(name, user) === user.line);
    if (isComposed && compose(name, own) === compose(name, read)) continue;
    differences.push(
      [
        `user ${JSON.stringify(name)}`,
        `  redis:   ${own.line}`,
        `  ferrite: ${their.line}`,
        `  which redis prints as: ${compose(name, read)}`,
      ].join("\n"),
    );
  }
  return { differences, compared: names.length };
}

/** Every user by its name, in the order of ACL LIST. */
async function describeAll(session: Session): Promise<Map<string, Described>> {
  const [list, users] = await session.exchange([
    encodeWords(["ACL", "LIST"]),
    encodeWords(["ACL", "USERS"]),
  ]);
  const lines = textsOf(readReply(list)!.node);
  const described = new Map<string, Described>();
  for (const [at, name] of textsOf(readReply(users)!.node).entries()) {
    const [reply] = await session.exchange([encodeWords(["ACL", "GETUSER", name])]);
    const fields = fieldsOf(readReply(reply)!.node);
    described.set(name, {
      ...selectorOf(fields),
      flags: textsOf(fields.get("flags")!),
      passwordCount: textsOf(fields.get("passwords")!).length,
      selectors: itemsOf(fields.get("selectors")!).map((item) => selectorOf(fieldsOf(item))),
      line: withoutPasswords(lines[at] ?? "", `user ${name} `),
    });
  }
  return described;
}

function withoutPasswords(line: string, prefix: string): string {
  if (!line.startsWith(prefix)) return line;
  const rules = line.slice(prefix.length).replaceAll(/(?<= |^)#\S+/g, "#");
  // Ferrite quotes what would close a selector too early.
  return prefix + plainPattern(rules.replaceAll(/"([^" ]*\))"/g, "$1"));
}

/** The same with the command rules that redis-server makes of them. */
async function asRedisPrints(theirs: Session, user: Described): Promise<Described> {
  const selectors: Selector[] = [];
  for (const selector of user.selectors) {
    selectors.push({ ...selector, commands: await readBack(theirs, selector.commands) });
  }
  return { ...user, commands: await readBack(theirs, user.commands), selectors };
}

/** What redis-server makes of these command rules, or why it does not take them. */
async function readBack(theirs: Session, commands: string): Promise<string> {
  const [taken, reply] = await theirs.exchange([
    encodeWords(["ACL", "SETUSER", PROBE, ...commands.split(" ")]),
    encodeWords(["ACL", "GETUSER", PROBE]),
    encodeWords(["ACL", "DELUSER", PROBE]),
  ]);
  if (taken.toString() !== "+OK\r\n") return taken.toString("latin1");
  return selectorOf(fieldsOf(readReply(reply)!.node)).commands;
}

/** The line of ACL LIST that says what ACL GETUSER says. */
function compose(name: string, user: Described): string {
  const passwords = Array.from({ length: user.passwordCount }, () => "#");
  const selectors = user.selectors.map((selector) => `(${composeSelector(selector)})`);
  return ["user", name, ...user.flags, ...passwords, composeSelector(user), ...selectors].join(" ");
}

function composeSelector({ keys, channels, commands }: Selector): string {
  const reset = channels === "&*" ? "" : "resetchannels";
  return [keys, reset, channels, commands].filter((part) => part !== "").join(" ");
}

function selectorOf(fields: ReadonlyMap<string, ReplyNode>): Selector {
  const text = (name: string): string => {
    const node = fields.get(name);
    return node?.kind === "bulk" ? (node.text ?? "") : "";
  };
  return {
    commands: text("commands"),
    keys: plainPattern(text("keys")),
    channels: text("channels"),
  };
}

/** Redis prints `%RW~*` as `~*`, which it does not read back as the same. */
function plainPattern(text: string): string {
  return text.replaceAll(/(?<=^|[ (])%RW~\*(?=$|[ )])/g, "~*");
}

/** A map, or an array of names and values. */
function fieldsOf(node: ReplyNode): ReadonlyMap<string, ReplyNode> {
  const items = itemsOf(node);
  const fields = new Map<string, ReplyNode>();
  for (let at = 0; at + 1 < items.length; at += 2) {
    const name = items[at];
    if (name.kind === "bulk" && name.text !== null) fields.set(name.text, items[at + 1]);
  }
  return fields;
}

function itemsOf(node: ReplyNode): readonly ReplyNode[] {
  if (node.kind !== "aggregate" || node.items === null) throw new Error("not an array or map");
  return node.items;
}
