import { describe, expect, it } from "vitest";
import { KeyAccess, Verdict } from "../src/access-request.ts";
import type { User } from "../src/api.ts";
import { createUserTable } from "../src/user-table.ts";
import { testCatalogue } from "./support/catalogue.ts";
import { request } from "./support/requests.ts";
import type { RequestWords } from "./support/requests.ts";

const catalogue = testCatalogue();
const { Read, Write, ReadWrite, None } = KeyAccess;

function userWith(...rules: string[]): User {
  const table = createUserTable(catalogue);
  const outcome = table.setUser("u", rules, 0);
  if (!outcome.ok) throw new Error(outcome.errorText);
  const user = table.get("u");
  if (user === undefined) throw new Error("the user is not there");
  return user;
}

function verdict(rules: readonly string[], words: RequestWords): Verdict {
  return userWith(...rules).check(request(catalogue, words));
}

describe("commands", () => {
  it.each([
    [["+get", "+set", "~*"], "get", Verdict.Allowed],
    [["+get", "+set", "~*"], "del", Verdict.Command],
    [["+@all", "-@write", "~*"], "set", Verdict.Command],
    [["+@all", "-@dangerous", "+debug", "~*"], "debug", Verdict.Allowed],
    [["+@all", "-@dangerous", "+debug", "~*"], "keys", Verdict.Command],
    [["+client|list"], "client|list", Verdict.Allowed],
    [["+client|list"], "client|kill", Verdict.Command],
    [["+client", "-client|kill"], "client|kill", Verdict.Command],
    [["+@all", "-client", "+client|setname"], "client|setname", Verdict.Allowed],
    [["+@all", "-client", "+client|setname"], "client|list", Verdict.Command],
    // A container that is in a category brings its sub-commands, as in Redis.
    [["+@slow"], "config|set", Verdict.Allowed],
    [["+@admin"], "config", Verdict.Command],
  ])("with %j, %s is judged %i (F31, F32, F23)", (rules, command, expected) => {
    expect(verdict(rules, { command })).toBe(expected);
  });

  it("are allowed by first argument, in any case, and by nothing longer or shorter", () => {
    const judge = (firstArgument?: string): Verdict =>
      verdict(
        ["+select|0", "+select|Ten"],
        firstArgument === undefined ? { command: "select" } : { command: "select", firstArgument },
      );
    expect([judge("0"), judge("tEN"), judge("1"), judge("00"), judge("0\0x"), judge("")]).toEqual([
      Verdict.Allowed,
      Verdict.Allowed,
      Verdict.Command,
      Verdict.Command,
      Verdict.Command,
      Verdict.Command,
    ]);
    expect(judge()).toBe(Verdict.Command);
  });

  it.each(["auth", "hello", "quit", "reset"])(
    "%s is open to everybody, and to nobody who is denied it by name (S05, F5)",
    (command) => {
      expect(verdict([], { command })).toBe(Verdict.Allowed);
      expect(verdict(["+@all", "-@connection"], { command })).toBe(Verdict.Allowed);
      expect(verdict(["+@all", `-${command}`], { command })).toBe(Verdict.Command);
      expect(verdict([`-${command}`], { command })).toBe(Verdict.Command);
      expect(verdict([`-${command}`, `(~a +get)`], { command })).toBe(Verdict.Command);
      expect(verdict([`-${command}`, `+@connection`], { command })).toBe(Verdict.Allowed);
    },
  );

  it("that may run with some arguments are told before the arguments are there (S20)", () => {
    const user = userWith("+get", "+select|0", "(+set ~x)", "-hello");
    const may = (name: string): boolean => user.mayRun(catalogue.find(name)?.id ?? -1);
    expect(["get", "select", "set", "auth", "hello", "del"].map(may)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe("keys", () => {
  it.each([
    [["~a*"], "abc", ReadWrite, Verdict.Allowed],
    [["~a*"], "b", Read, Verdict.Key],
    [["%R~a*"], "abc", Read, Verdict.Allowed],
    [["%R~a*"], "abc", Write, Verdict.Key],
    [["%R~a*"], "abc", ReadWrite, Verdict.Key],
    [["%W~a*"], "abc", Write, Verdict.Allowed],
    [["%W~a*"], "abc", Read, Verdict.Key],
    // Two patterns do not add up: one has to allow the whole access.
    [["%R~a*", "%W~*c"], "abc", ReadWrite, Verdict.Key],
    [["%R~a*", "%W~a*"], "abc", ReadWrite, Verdict.Allowed],
    // Neither read nor written (EXISTS): any pattern will do.
    [["%R~a*"], "abc", None, Verdict.Allowed],
    [["%W~a*"], "abc", None, Verdict.Allowed],
    [["%W~a*"], "b", None, Verdict.Key],
    [["~*"], "", ReadWrite, Verdict.Allowed],
    [["%R~*"], "", Read, Verdict.Key],
    [[], "x", Read, Verdict.Key],
    [["~"], "", Read, Verdict.Allowed],
  ])("with %j, key %j for access %i is judged %i (F21, F36)", (rules, key, access, expected) => {
    expect(verdict(["+get", ...rules], { command: "get", keys: [key], access: [access] })).toBe(
      expected,
    );
  });

  it("are bytes: newlines, zeros and what is no text (D10)", () => {
    const key = "app:\n\0\xff\xfe";
    expect(verdict(["+get", "~app:*"], { command: "get", keys: [key] })).toBe(Verdict.Allowed);
    expect(verdict(["+get", "~app:\n*"].slice(0, 1), { command: "get", keys: [key] })).toBe(
      Verdict.Key,
    );
  });

  it("that nobody can name are for users of all keys only (S07)", () => {
    const unknown = { command: "get", keys: [""], access: [KeyAccess.Unknown] };
    expect(verdict(["+get", "~*"], unknown)).toBe(Verdict.Allowed);
    expect(verdict(["+get", "~", "~a*", "%RW~?*"], unknown)).toBe(Verdict.Key);
  });

  it("are all checked, and the first denied one is told", () => {
    const user = userWith("+mget", "~a");
    expect(user.check(request(catalogue, { command: "mget", keys: ["a", "a", "b", "c"] }))).toBe(
      Verdict.Key,
    );
    expect(user.deniedIndex).toBe(2);
  });
});

describe("channels", () => {
  const channels = (names: string[], channelsArePatterns = false): RequestWords => ({
    command: channelsArePatterns ? "psubscribe" : "subscribe",
    channels: names,
    channelsArePatterns,
  });

  it.each([
    [["&news.*"], ["news.a"], false, Verdict.Allowed],
    [["&news.*"], ["news.a", "other"], false, Verdict.Channel],
    [["allchannels"], ["other"], false, Verdict.Allowed],
    // A pattern is allowed when it is the very pattern of the rule; matching it could let more in than the rule.
    [["&news.*"], ["news.*"], true, Verdict.Allowed],
    [["&news.*"], ["news.a*"], true, Verdict.Channel],
    [["&*"], ["*"], true, Verdict.Allowed],
    [[], ["x"], false, Verdict.Channel],
  ])("with %j, %j (patterns: %s) is judged %i (F39)", (rules, names, arePatterns, expected) => {
    expect(verdict(["+@pubsub", ...rules], channels(names, arePatterns))).toBe(expected);
    const user = userWith("+@pubsub", ...rules);
    const allSubscribed = names.every((name) =>
      user.maySubscribe(Buffer.from(name, "latin1"), arePatterns),
    );
    expect(allSubscribed).toBe(expected === Verdict.Allowed);
  });
});

describe("selectors", () => {
  const rules = ["+@read", "~a*", "(~b* +set)", "(%R~c* +get &x +subscribe)"];
  it.each([
    ["get", "a1", Read, Verdict.Allowed],
    ["set", "b1", Write, Verdict.Allowed],
    ["get", "c1", Read, Verdict.Allowed],
    // No selector allows the whole, though one allows the command and another the key.
    ["set", "a1", Write, Verdict.Key],
    ["get", "b1", Read, Verdict.Key],
    ["del", "b1", Write, Verdict.Command],
  ])("%s of %s for access %i is judged %i (F30)", (command, key, access, expected) => {
    expect(verdict(rules, { command, keys: [key], access: [access] })).toBe(expected);
  });

  it("report the highest denial, then the furthest key, as Redis does", () => {
    const user = userWith("+mget", "~a", "(+mget ~a ~b)", "(+set ~a)");
    expect(user.check(request(catalogue, { command: "mget", keys: ["a", "b", "c"] }))).toBe(
      Verdict.Key,
    );
    expect(user.deniedIndex).toBe(2);
    const subscriber = userWith("~a", "(+get)", "(+subscribe &x)");
    expect(subscriber.check(request(catalogue, { command: "subscribe", channels: ["y"] }))).toBe(
      Verdict.Channel,
    );
  });
});

describe("a user who may do everything", () => {
  it("is known as such, in its own rules or in one selector", () => {
    expect(userWith("+@all", "~*", "&*").isUnrestricted).toBe(true);
    expect(userWith("(+@all ~* &*)").isUnrestricted).toBe(true);
    expect(userWith("+@fast", "+@slow", "~*", "&*").isUnrestricted).toBe(true);
    for (const less of [["-get"], ["-auth"], ["resetkeys", "%R~*"], ["resetchannels"]]) {
      expect(userWith("+@all", "~*", "&*", ...less).isUnrestricted).toBe(false);
    }
  });
});
