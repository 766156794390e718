import { createUserTable } from "@ferrite/acl";
import { describe, expect, it } from "vitest";
import { createCommandTable } from "../../src/commands/all-commands.ts";
import { commandCatalogue } from "../../src/commands/catalogue.ts";
import { FORESEEN_COMMANDS } from "../../src/commands/foreseen-commands.ts";

const table = createCommandTable();
const catalogue = commandCatalogue(table);

describe("the catalogue of commands", () => {
  it("numbers every command and sub-command once, densely", () => {
    const all = catalogue.commands.flatMap((command) => [command, ...command.subcommands]);
    expect(all.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: catalogue.size }, (_, id) => id),
    );
    for (const spec of table.commands)
      expect(catalogue.find(spec.name)?.id).toBe(catalogue.idOf(spec));
  });

  it("foresees what Redis has, and nothing that is here already", () => {
    for (const [name] of FORESEEN_COMMANDS) {
      expect(table.byName(name), name).toBeNull();
      expect(catalogue.find(name)?.isForeseen, name).toBe(true);
    }
  });

  it("lets users and files of a Redis name commands that are not here yet (S15)", () => {
    const users = createUserTable(catalogue);
    const rules = [
      "on",
      "-@all",
      "+lpush",
      "+hget",
      "+client|pause",
      "+xgroup|create",
      "+@read",
      "-hgetall",
      "~*",
    ];
    expect(users.setUser("app", rules, 0).ok).toBe(true);
    expect(users.get("app")?.describe()).toBe(
      "user app on ~* resetchannels -@all +lpush +client|pause +xgroup|create +@read -hgetall",
    );
    expect(users.setUser("app", ["+nosuchcommand"], 0).ok).toBe(false);
  });
});
