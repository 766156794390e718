import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { standardInput } from "../../src/terminal/standard-input.ts";

/** A terminal that notes whether it shows what is typed. */
class FakeTerminal extends PassThrough {
  readonly isTTY = true;
  readonly modes: boolean[] = [];
  shown = "";

  setRawMode(isRaw: boolean): void {
    this.modes.push(isRaw);
  }

  readonly screen = {
    write: (text: string): void => {
      this.shown += text;
    },
  };
}

function ask(terminal: FakeTerminal): Promise<string> {
  return standardInput(terminal, terminal.screen).readHidden("Password: ");
}

describe("a secret that is typed", () => {
  it.each([
    ["sesame\r", "sesame"],
    ["sesame\n", "sesame"],
    ["öäü€\r", "öäü€"],
    ["abc\x7f\x7fd\r", "ad"],
    ["a€\x08b\r", "ab"],
    ["\x7f\x7fa\r", "a"],
    ["wrong\x15right\r", "right"],
    ["abc\x04", "abc"],
    ["\r", ""],
  ])("%j is %j", async (keys, expected) => {
    const terminal = new FakeTerminal();
    const asked = ask(terminal);
    for (const byte of Buffer.from(keys)) terminal.write(Buffer.from([byte]));
    expect(await asked).toBe(expected);
    expect(terminal.shown).toBe("Password: \n");
    expect(terminal.modes).toEqual([true, false]);
  });

  it("is read when it is pasted in one piece", async () => {
    const terminal = new FakeTerminal();
    const asked = ask(terminal);
    terminal.write("sesame\rand more");
    expect(await asked).toBe("sesame");
  });

  it("can be asked for twice", async () => {
    const terminal = new FakeTerminal();
    const first = ask(terminal);
    terminal.write("one\r");
    expect(await first).toBe("one");
    const second = ask(terminal);
    terminal.write("two\r");
    expect(await second).toBe("two");
  });

  it.each([["\x03"], ["abc\x03"], ["\x04"]])(
    "%j breaks off, and the terminal shows again",
    async (keys) => {
      const terminal = new FakeTerminal();
      const asked = ask(terminal);
      terminal.write(keys);
      await expect(asked).rejects.toMatchObject({ code: "interrupted" });
      expect(terminal.modes).toEqual([true, false]);
    },
  );

  it("a terminal that goes away breaks off", async () => {
    const terminal = new FakeTerminal();
    const asked = ask(terminal);
    terminal.end();
    await expect(asked).rejects.toMatchObject({ code: "interrupted" });
  });
});

describe("standard input", () => {
  it("is read to its end", async () => {
    const input = new PassThrough();
    const port = standardInput(input, { write: () => undefined });
    input.write("one ");
    input.end("two");
    expect(port.isTerminal).toBe(false);
    expect((await port.readAll()).toString()).toBe("one two");
  });
});
