import { describe, expect, it } from "vitest";
import { createCommandTable } from "../../src/commands/all-commands.ts";
import { Argv } from "../../src/resp/argv.ts";
import { UnreadRequestGate } from "../../src/security/unread-request.ts";

const table = createCommandTable();

function judge(words: readonly string[], argumentCount: number): string | null {
  const refuse = (command: { readonly name: string }): string | null =>
    command.name === "get" ? null : `NOPERM ${command.name}`;
  const argv = new Argv();
  argv.reset(Buffer.from(words.join("")));
  let at = 0;
  for (const word of words) {
    argv.push(at, at + word.length);
    at += word.length;
  }
  return new UnreadRequestGate(table, refuse).judge(argv, argumentCount);
}

describe("A large request of which only the beginning is here (S20, S23)", () => {
  it("is let in when its command may be run", () => {
    expect(judge(["GET"], 2)).toBeNull();
  });

  it("is refused when its command may not be run, without looking at its arguments", () => {
    expect(judge(["SeT"], 3)).toBe("NOPERM set");
    expect(judge(["set", "key"], 3)).toBe("NOPERM set");
    expect(judge(["client", "KILL"], 4)).toBe("NOPERM client|kill");
  });

  it("is refused first for being no command, then for its number of arguments, as one that is here", () => {
    expect(judge(["nonsense"], 2)).toBe(
      "ERR unknown command 'nonsense', with args beginning with: ",
    );
    expect(judge([], 1)).toBe("ERR unknown command '', with args beginning with: ");
    expect(judge(["set"], 2)).toBe("ERR wrong number of arguments for 'set' command");
    expect(judge(["client", "nonsense"], 3)).toBe(
      "ERR unknown subcommand 'nonsense'. Try CLIENT HELP.",
    );
  });

  it("is refused when the name of its sub-command is what is large", () => {
    expect(judge(["client"], 3)).toBe("ERR unknown subcommand. Try CLIENT HELP.");
    expect(judge(["command"], 2)).toBe("ERR unknown subcommand. Try COMMAND HELP.");
  });
});
