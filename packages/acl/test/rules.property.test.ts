import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createUserTable } from "../src/user-table.ts";
import type { UserTable } from "../src/api.ts";
import { parseAclFile } from "../src/acl-file.ts";
import { formatAclFile } from "../src/acl-file-format.ts";
import { formatUserLine } from "../src/user-line.ts";
import { splitSelectorWords } from "../src/tokens.ts";
import { requests, rules } from "./support/arbitrary-rules.ts";
import { testCatalogue } from "./support/catalogue.ts";
import { redisDecision } from "./support/redis-decision.ts";
import type { AcceptedRule } from "./support/redis-decision.ts";
import { request } from "./support/requests.ts";

const catalogue = testCatalogue();
const NAME = "u";

/** Applies one rule at a time, so that a wrong one does not take the others with it; returns those that were right. */
function applyAll(table: UserTable, list: readonly string[]): AcceptedRule[] {
  table.setUser(NAME, [], 0);
  return list
    .filter((rule) => table.setUser(NAME, [rule], 0).ok)
    .map((rule) => (rule.startsWith("(") ? (splitSelectorWords(rule.slice(1, -1)) ?? []) : rule));
}

function line(table: UserTable): string {
  return table.get(NAME)?.describe() ?? "";
}

const ruleLists = fc.array(rules(catalogue), { maxLength: 12 });

describe("for any rules", () => {
  it("what is printed reads back to itself, as a line, as rules and as a file", () => {
    const property = fc.property(ruleLists, (list) => {
      const table = createUserTable(catalogue);
      applyAll(table, list);
      const printed = line(table);

      const asLine = createUserTable(catalogue);
      expect(asLine.replaceAll(["user default off", printed], 0).ok).toBe(true);
      expect(line(asLine)).toBe(printed);

      const asRules = createUserTable(catalogue);
      expect(asRules.setUser(NAME, printed.split(" ").slice(2), 0).ok).toBe(true);
      expect(line(asRules)).toBe(printed);

      const file = formatAclFile(table.all(), { generatedAt: "now" });
      const parsed = parseAclFile(file, catalogue);
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
      const asFile = createUserTable(catalogue);
      const lines = parsed.users.map((user) => formatUserLine(user.name, user.rules));
      expect(asFile.replaceAll(lines, 0).ok).toBe(true);
      expect(line(asFile)).toBe(printed);
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  it("the decision is that of Redis' rules read one by one, also after printing, restoring and reading back", () => {
    const property = fc.property(
      ruleLists,
      fc.array(requests(catalogue), { minLength: 8, maxLength: 8 }),
      (list, all) => {
        const table = createUserTable(catalogue);
        const accepted = applyAll(table, list);
        const restored = createUserTable(catalogue);
        restored.restore(table.record());
        const again = createUserTable(catalogue);
        again.replaceAll(["user default off", line(table)], 0);
        for (const words of all) {
          const expected = redisDecision(catalogue, accepted, words);
          const asked = request(catalogue, words);
          expect(table.get(NAME)?.check(asked)).toBe(expected);
          expect(restored.get(NAME)?.check(asked)).toBe(expected);
          expect(again.get(NAME)?.check(asked)).toBe(expected);
        }
        expect(restored.stateHash()).toBe(table.stateHash());
      },
    );
    fc.assert(property, { numRuns: 1_500 });
  });

  it("what is allowed may run, and who is unrestricted may do everything", () => {
    const property = fc.property(ruleLists, requests(catalogue), (list, words) => {
      const table = createUserTable(catalogue);
      applyAll(table, list);
      const user = table.get(NAME);
      const asked = request(catalogue, words);
      const isAllowed = user?.check(asked) === 0;
      if (isAllowed) expect(user.mayRun(asked.commandId)).toBe(true);
      if (user?.isUnrestricted === true) expect(isAllowed).toBe(true);
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  it("two tables that were told the same agree, whatever was refused on the way", () => {
    const property = fc.property(fc.array(ruleLists, { maxLength: 4 }), (changes) => {
      const tables = [createUserTable(catalogue), createUserTable(catalogue)];
      for (const [number, list] of changes.entries()) {
        const outcomes = tables.map((table) => table.setUser(`u${number % 2}`, list, 0).ok);
        expect(outcomes[0]).toBe(outcomes[1]);
      }
      expect(tables[0].stateHash()).toBe(tables[1].stateHash());
    });
    fc.assert(property, { numRuns: 500 });
  });
});

describe("garbage", () => {
  it("is refused with a text or accepted, and never thrown at the caller", () => {
    const words = fc.string({ unit: "binary-ascii", maxLength: 8 });
    const property = fc.property(words, fc.array(words, { maxLength: 4 }), (name, list) => {
      const table = createUserTable(catalogue);
      const before = table.stateHash();
      const outcome = table.setUser(name, list, 0);
      if (!outcome.ok) {
        expect(outcome.errorText).toMatch(/^ERR [^\r\n]+$/);
        expect(table.stateHash()).toBe(before);
      }
    });
    fc.assert(property, { numRuns: 1_500 });
  });
});
