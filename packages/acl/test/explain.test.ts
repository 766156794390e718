import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyAccess, Verdict } from "../src/access-request.ts";
import type { User } from "../src/api.ts";
import { explainAccess } from "../src/explain.ts";
import { createUserTable } from "../src/user-table.ts";
import { requests, rules } from "./support/arbitrary-rules.ts";
import { testCatalogue } from "./support/catalogue.ts";
import { request } from "./support/requests.ts";
import type { RequestWords } from "./support/requests.ts";

const catalogue = testCatalogue();

function userWith(list: readonly string[]): User {
  const table = createUserTable(catalogue);
  table.setUser("u", [], 0);
  for (const rule of list) table.setUser("u", [rule], 0);
  const user = table.get("u");
  if (user === undefined) throw new Error("the user is not there");
  return user;
}

function lines(list: readonly string[], words: RequestWords): readonly string[] {
  return explainAccess(userWith(list), request(catalogue, words)).lines;
}

describe("an explanation", () => {
  it.each([
    [["+@read", "-get"], "get", "own rules: no: 'get' is denied by '-get'"],
    [["+@all", "-@dangerous"], "keys", "own rules: no: 'keys' is denied by '-@dangerous'"],
    [["+@all", "-@dangerous", "+keys"], "keys", "own rules: yes: 'keys' is allowed by '+keys'"],
    [["+get"], "set", "own rules: no: 'set' is denied by '-@all', as no rule behind it names it"],
    [
      ["+@all"],
      "set",
      "own rules: yes: 'set' is allowed by '+@all', as no rule behind it names it",
    ],
    [
      ["+client", "-client|kill"],
      "client|kill",
      "own rules: no: 'client|kill' is denied by '-client|kill'",
    ],
    [["+client"], "client|list", "own rules: yes: 'client|list' is allowed by '+client'"],
    [
      [],
      "auth",
      "own rules: yes: 'auth' is allowed by being open to everybody who is not denied it by name",
    ],
    [["-auth"], "auth", "own rules: no: 'auth' is denied by '-auth'"],
  ])("with %j names the rule that decides about %s", (list, command, expected) => {
    expect(lines(list, { command })[1]).toBe(expected);
  });

  it("names the first argument that allows a command", () => {
    const list = ["+select|0", "+select|1"];
    expect(lines(list, { command: "select", firstArgument: "1" })[1]).toBe(
      "own rules: yes: 'select' is allowed by '+select|1'",
    );
    expect(lines(list, { command: "select", firstArgument: "2" })[1]).toContain(
      "denied by '-@all'",
    );
  });

  it("goes through keys, channels and every selector", () => {
    const list = ["+@all", "%R~a*", "~b", "&news.*", "(+get ~* &x)"];
    const words = {
      command: "get",
      keys: ["abc", "b\xff", "c"],
      access: [KeyAccess.Read, KeyAccess.None, KeyAccess.ReadWrite],
      channels: ["news.1"],
    };
    expect(lines(list, words)).toEqual([
      "denied: a channel",
      "own rules: yes: 'get' is allowed by '+@all', as no rule behind it names it",
      "own rules: yes: to read key 1, 'abc', is allowed by '%R~a*'",
      "own rules: no: to touch key 2, 'b\\xff', is allowed by no key pattern",
      "own rules: no: to read and write key 3, 'c', is allowed by no key pattern",
      "own rules: yes: channel 1, 'news.1', is allowed by '&news.*'",
      "selector 1: yes: 'get' is allowed by '+get'",
      "selector 1: yes: to read key 1, 'abc', is allowed by '~*'",
      "selector 1: yes: to touch key 2, 'b\\xff', is allowed by '~*'",
      "selector 1: yes: to read and write key 3, 'c', is allowed by '~*'",
      "selector 1: no: channel 1, 'news.1', is allowed by no channel pattern",
    ]);
    const pattern = { command: "psubscribe", channels: ["news.*"], channelsArePatterns: true };
    expect(lines(["+@all", "&news.*"], pattern)[2]).toBe(
      "own rules: yes: pattern, which has to be allowed literally, 1, 'news.*', is allowed by '&news.*'",
    );
  });

  it("cuts keys that are long", () => {
    const text = lines(["+get"], { command: "get", keys: ["k".repeat(10_000)] })[2];
    expect(text).toContain(`'${"k".repeat(128)}...'`);
  });

  it("never says anything else than the check (S12)", () => {
    const property = fc.property(
      fc.array(rules(catalogue), { maxLength: 10 }),
      requests(catalogue),
      (list, words) => {
        const user = userWith(list);
        const asked = request(catalogue, words);
        const verdict = user.check(asked);
        const explained = explainAccess(user, asked);
        expect(explained.verdict).toBe(verdict);
        const isAllowed = explained.selectors.some((selector) => selector.isAllowed);
        expect(isAllowed).toBe(verdict === Verdict.Allowed);
      },
    );
    fc.assert(property, { numRuns: 1_500 });
  });

  it("is only given of users of this package", () => {
    const stranger: User = { ...userWith([]) };
    expect(() => explainAccess(stranger, request(catalogue, { command: "get" }))).toThrow(
      "invariant",
    );
  });
});
