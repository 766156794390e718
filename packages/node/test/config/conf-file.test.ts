import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseConfFile, splitWords } from "../../src/config/conf-file.ts";

describe("the redis.conf syntax", () => {
  it.each<[string, string[] | null]>([
    ["port 6379", ["port", "6379"]],
    ["bind\t127.0.0.1   ::1", ["bind", "127.0.0.1", "::1"]],
    ['save ""', ["save", ""]],
    [String.raw`a "x \"y\" \n\t\x41\q"`, ["a", 'x "y" \n\tAq']],
    [String.raw`a 'it\'s \n'`, ["a", String.raw`it's \n`]],
    ['pre"fix"', ["prefix"]],
    ["a # b", ["a", "#", "b"]],
    ['a "b', null],
    ["a 'b", null],
    ['a "b"c', null],
    [String.raw`a "b\"`, null],
    ["", []],
  ])("%j is read as %j", (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  it("comments, blank lines, carriage returns and a byte order mark are passed over", () => {
    const file = parseConfFile("\uFEFF# head\r\n\r\n   \n  # more\nport 1\r\ndir x");
    expect(file.errors).toEqual([]);
    expect(file.directives).toEqual([
      { name: "port", words: ["1"], line: 5 },
      { name: "dir", words: ["x"], line: 6 },
    ]);
  });

  it("a bad line is told with its number and hides no other", () => {
    const file = parseConfFile('port 1\nx "y\ndir z');
    expect(file.errors).toEqual([{ line: 2, text: "unbalanced quotes" }]);
    expect(file.directives.map((directive) => directive.line)).toEqual([1, 3]);
  });

  it("any text at all is read without an exception and every line number is real", () => {
    const piece = fc.oneof(
      fc.constantFrom('"', "'", "\\", "\\x", "\n", "\r", " ", "#", "port"),
      fc.string({ unit: "binary", maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const content = pieces.join("");
        const lines = content.split("\n").length;
        const file = parseConfFile(content);
        const numbers = [...file.directives, ...file.errors].map(({ line }) => line);
        expect(numbers.filter((line) => line < 1 || line > lines)).toEqual([]);
      }),
    );
  });

  it("words written with quotes and escapes come back as they were", () => {
    const quote = (word: string): string =>
      `"${[...Buffer.from(word, "latin1")].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}"`;
    const word = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    });
    fc.assert(
      fc.property(fc.array(word), (words) => {
        expect(splitWords(words.map(quote).join(" "))).toEqual(words);
      }),
    );
  });
});
