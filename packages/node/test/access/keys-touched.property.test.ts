/**
 * S01: what the access rules check is what a command touches. Every read and write of the table runs with random
 * arguments over an instrumented keyspace; each key it touched, changed or gave away the value of must be among the keys
 * that the check was told of, with the right to do that.
 */
import { KeyAccess } from "@ferrite/acl";
import { Keyspace, type ByteRange, type EntryRef, type KeyspaceApi } from "@ferrite/storage";
import { array, assert, constantFrom, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { newAccessRequest, AccessRequestFiller } from "../../src/access/request-filler.ts";
import { createCommandTable } from "../../src/commands/all-commands.ts";
import { commandCatalogue } from "../../src/commands/catalogue.ts";
import type {
  CommandArgument,
  KeyContext,
  ReadCommand,
  WriteCommand,
} from "../../src/commands/command.ts";
import { Argv } from "../../src/resp/argv.ts";
import { RespReply } from "../../src/resp/encoder.ts";

type KeyCommand = ReadCommand | WriteCommand;

/** They are about all keys at once: no key can be named to the check, as in Redis. */
const WHOLE_KEYSPACE = new Set(["keys", "scan", "randomkey", "dbsize", "flushdb", "flushall"]);
const KEYS = ["alpha", "beta", "gamma", "delta", "epsilon"];
const NOW_MS = 1_700_000_000_000;

const table = createCommandTable();
const filler = new AccessRequestFiller(commandCatalogue(table));

/** Knows which keys were touched and which were changed. */
class WatchedKeyspace {
  readonly touched = new Set<string>();
  readonly changed = new Set<string>();
  readonly api: KeyspaceApi;
  readonly #keyOf = new Map<EntryRef, string>();

  constructor(inner: Keyspace) {
    const text = (buffer: Uint8Array, start: number, end: number): string =>
      Buffer.from(buffer.subarray(start, end)).toString("latin1");
    const found = (key: string, ref: EntryRef): EntryRef => {
      this.touched.add(key);
      if (ref !== 0) this.#keyOf.set(ref, key);
      return ref;
    };
    const change = (key: string, ref: EntryRef): EntryRef => {
      this.changed.add(key);
      return found(key, ref);
    };
    const changeRef = (before: EntryRef, after: EntryRef): EntryRef =>
      change(this.#keyOf.get(before) ?? "?", after);
    const watched: Partial<KeyspaceApi> = {
      find: (buffer, start, end, nowMs) =>
        found(text(buffer, start, end), inner.find(buffer, start, end, nowMs)),
      setString: (key: ByteRange, value, options) =>
        change(text(key.buffer, key.start, key.end), inner.setString(key, value, options)),
      setStringFast: (...all) => change(text(all[0], all[1], all[2]), inner.setStringFast(...all)),
      resizeString: (ref, length) => changeRef(ref, inner.resizeString(ref, length)),
      setExpireAt: (ref, atMs) => changeRef(ref, inner.setExpireAt(ref, atMs)),
      remove: (buffer, start, end, nowMs) => {
        change(text(buffer, start, end), 0);
        return inner.remove(buffer, start, end, nowMs);
      },
      copyTo: (ref, to, nowMs) =>
        change(text(to.buffer, to.start, to.end), inner.copyTo(ref, to, nowMs)),
    };
    this.api = new Proxy<KeyspaceApi>(inner, {
      get: (target, name) => {
        const own = watched[name as keyof KeyspaceApi];
        if (own !== undefined) return own;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  }
}

function keyCommands(): KeyCommand[] {
  const all = table.commands.flatMap((spec) =>
    spec.kind === "container" ? [...spec.subcommands] : [spec],
  );
  return all.filter(
    (spec): spec is KeyCommand =>
      (spec.kind === "read" || spec.kind === "write") && !WHOLE_KEYSPACE.has(spec.name),
  );
}

/** Every literal word that the command's arguments know. */
function tokensOf(argument: CommandArgument): string[] {
  const own = argument.token === undefined ? [] : [argument.token];
  const pure = argument.type === "pure-token" ? [argument.name] : [];
  return [...own, ...pure, ...(argument.arguments ?? []).flatMap(tokensOf)];
}

function toArgv(words: readonly string[]): Argv {
  const argv = new Argv();
  argv.reset(Buffer.from(words.join(" "), "latin1"));
  let at = 0;
  for (const word of words) {
    argv.push(at, at + word.length);
    at += word.length + 1;
  }
  return argv;
}

function filledKeyspace(): Keyspace {
  const keyspace = new Keyspace({ hashSeed: 7 });
  // One of them is not there; the values are found again in replies.
  for (const key of KEYS.slice(0, -1)) {
    const bytes = Buffer.from(`${key}VALUE-${key}`);
    const keyRange = { buffer: bytes, start: 0, end: key.length };
    const value = { buffer: bytes, start: key.length, end: bytes.length };
    keyspace.setString(keyRange, value, { expireAtMs: 0, nowMs: NOW_MS });
  }
  return keyspace;
}

interface Rights {
  readonly any: ReadonlySet<string>;
  readonly read: ReadonlySet<string>;
  readonly write: ReadonlySet<string>;
}

function checkedKeys(command: KeyCommand, argv: Argv, using: AccessRequestFiller): Rights {
  const request = newAccessRequest();
  using.fill(command, argv, request);
  const rights = { any: new Set<string>(), read: new Set<string>(), write: new Set<string>() };
  for (let index = 0; index < request.keyCount; index++) {
    const key = Buffer.from(
      request.buffer.subarray(request.keyStarts[index], request.keyEnds[index]),
    ).toString("latin1");
    rights.any.add(key);
    if ((request.keyAccess[index] & KeyAccess.Read) !== 0) rights.read.add(key);
    if ((request.keyAccess[index] & KeyAccess.Write) !== 0) rights.write.add(key);
  }
  return rights;
}

function run(command: KeyCommand, argv: Argv): { keyspace: WatchedKeyspace; reply: string } {
  const keyspace = new WatchedKeyspace(filledKeyspace());
  const reply = new RespReply();
  const context: KeyContext = {
    argv,
    reply,
    keyspace: keyspace.api,
    nowMs: NOW_MS,
    random: () => 0.5,
  };
  command.run(context);
  return { keyspace, reply: reply.takePending().toString("latin1") };
}

/** What the command did to keys that the check was not told of. */
function violations(command: KeyCommand, argv: Argv, using = filler): string[] {
  const checked = checkedKeys(command, argv, using);
  const { keyspace, reply } = run(command, argv);
  const found: string[] = [];
  for (const key of keyspace.touched) if (!checked.any.has(key)) found.push(`touched ${key}`);
  for (const key of keyspace.changed) if (!checked.write.has(key)) found.push(`changed ${key}`);
  for (const key of KEYS) {
    if (reply.includes(`VALUE-${key}`) && !checked.read.has(key)) found.push(`told ${key}`);
  }
  return found;
}

describe("keys touched are keys checked", () => {
  it("a command whose specification names another key than it uses is caught", () => {
    const copy = table.byName("copy") as WriteCommand;
    const [source] = copy.keySpecs;
    const argv = toArgv(["copy", "alpha", "epsilon"]);
    expect(violations(copy, argv)).toEqual([]);
    // COPY's own numbers, with the destination forgotten.
    const spoiled: WriteCommand = { ...copy, keySpecs: [source] };
    const numbered = new AccessRequestFiller({ ...commandCatalogue(table), idOf: () => 0 });
    expect(violations(spoiled, argv, numbered)).toEqual(["touched epsilon", "changed epsilon"]);
  });

  for (const command of keyCommands()) {
    it(`${command.name} touches no key that was not checked, and does to it what was asked for (S01)`, () => {
      const words = constantFrom(
        ...KEYS,
        "0",
        "1",
        "2",
        "-1",
        "100",
        "x",
        ...new Set(command.arguments.flatMap(tokensOf)),
      );
      const name = command.name.split("|");
      let ran = 0;
      assert(
        property(array(words, { minLength: 0, maxLength: 6 }), (rest) => {
          const argv = toArgv([...name, ...rest]);
          if (table.lookup(argv) !== command) return;
          ran++;
          expect(violations(command, argv)).toEqual([]);
        }),
        { numRuns: 300, seed: 42 },
      );
      expect(ran).toBeGreaterThan(0);
    });
  }
});
