import { describe, expect, test } from "vitest";
import { decodeByteByByte, decodeWhole } from "./decoding.ts";

interface Case {
  readonly name: string;
  readonly input: string;
  readonly requests?: readonly (readonly string[])[];
  readonly error?: string;
  readonly rest?: number;
}

/** What redis-server 7.0.15 does with the same bytes, observed; differences are named where they are. */
const cases: readonly Case[] = [
  { name: "one request", input: "*1\r\n$4\r\nPING\r\n", requests: [["PING"]] },
  {
    name: "several requests in one piece",
    input: "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nPING\r\n",
    requests: [["GET", "a"], ["PING"]],
  },
  {
    name: "arguments with line ends, zero bytes and bytes above 127",
    input: "*2\r\n$4\r\n\r\n\0\xff\r\n$0\r\n\r\n",
    requests: [["\r\n\0\xff", ""]],
  },
  { name: "an empty first argument", input: "*1\r\n$0\r\n\r\n", requests: [[""]] },
  { name: "*0 as nothing", input: "*0\r\nPING\r\n", requests: [["PING"]] },
  { name: "*-1 as nothing", input: "*-1\r\nPING\r\n", requests: [["PING"]] },
  { name: "any negative count as nothing", input: "*-5\r\nPING\r\n", requests: [["PING"]] },
  {
    name: "a pipeline after empty requests (CVE-2026-27623)",
    input: "*0\r\n\r\n*-1\r\n   \r\n*1\r\n$4\r\nPING\r\n\r\n",
    requests: [["PING"]],
  },
  { name: "any two bytes after an argument", input: "*1\r\n$4\r\nPINGxx", requests: [["PING"]] },
  {
    name: "any byte after the CR of a count",
    input: "*1\rx$4\rxPING\r\n",
    requests: [["PING"]],
  },
  { name: "an incomplete request", input: "*2\r\n$3\r\nGET\r\n$5\r\nab", rest: 19 },
  {
    name: "another type byte",
    input: "*1\r\n:3\r\n",
    error: "ERR Protocol error: expected '$', got ':'",
  },
  {
    name: "an empty line where an argument should be",
    input: "*1\r\n\r\n",
    error: "ERR Protocol error: expected '$', got '\r'",
  },
  { name: "a line feed alone in a count", input: "*1\n$4\nPING\n", rest: 11 },
  ...["a", "", "01", "+1", " 1", "-0", "2147483648", "99999999999999999999", "1 "].map((count) => ({
    name: `the count "${count}"`,
    input: `*${count}\r\n`,
    error: "ERR Protocol error: invalid multibulk length",
  })),
  ...["-1", "abc", "", "04", "+4", "-0", "536870913", "99999999999999999999"].map((length) => ({
    name: `the length "${length}"`,
    input: `*1\r\n$${length}\r\n`,
    error: "ERR Protocol error: invalid bulk length",
  })),
  { name: "inline words", input: "SET  a\tb \r\n", requests: [["SET", "a", "b"]] },
  { name: "inline without CR", input: "PING\n", requests: [["PING"]] },
  { name: "empty inline lines", input: "\r\n\n  \r\nPING\r\n", requests: [["PING"]] },
  {
    name: "inline after multibulk",
    input: "*0\r\nPING\r\n*1\r\n$1\r\na\r\nb\n",
    requests: [["PING"], ["a"], ["b"]],
  },
  {
    name: "a CR inside an inline line as a blank",
    input: "PING\rx\r\n",
    requests: [["PING", "x"]],
  },
  { name: "double quotes", input: 'PING "a b" ""\r\n', requests: [["PING", "a b", ""]] },
  {
    name: "single quotes",
    input: "PING 'a \"b' 'c\\'d\\n'\r\n",
    requests: [["PING", 'a "b', "c'd\\n"]],
  },
  {
    name: "escapes in double quotes",
    input: 'PING "\\x41\\n\\r\\t\\b\\a\\q\\"\\\\\\xZZ\\x4"\r\n',
    requests: [["PING", 'A\n\r\t\b\x07q"\\xZZx4']],
  },
  {
    name: "a quote that begins inside a word",
    input: 'ECHO a"b c"\r\n',
    requests: [["ECHO", "ab c"]],
  },
  { name: "a lone empty quoted word", input: '""\r\n', requests: [[""]] },
  {
    name: "\\v and \\f inside a word",
    input: "ECHO a\x0bb\x0c \x0bc\r\n",
    requests: [["ECHO", "a\x0bb\x0c", "c"]],
  },
  ...['PING "a\r\n', "PING 'a\r\n", "PING 'a''b'\r\n", 'ECHO "a"b\r\n', '"\\\r\n'].map((input) => ({
    name: `the line ${JSON.stringify(input)}`,
    input,
    error: "ERR Protocol error: unbalanced quotes in request",
  })),
  // Redis stops looking for the line end at a zero byte and then waits for ever; Ferrite takes the byte as any other.
  { name: "a zero byte in an inline word", input: "ECHO a\0b\r\n", requests: [["ECHO", "a\0b"]] },
];

describe.each(cases)("The decoder understands $name", (one) => {
  const expected = {
    requests: one.requests ?? [],
    error: one.error ?? null,
    ...(one.rest === undefined ? {} : { rest: one.rest }),
  };

  test("in one piece", () => {
    expect(decodeWhole(one.input)).toMatchObject(expected);
  });

  test("byte by byte", () => {
    expect(decodeByteByByte(one.input)).toMatchObject(expected);
  });
});
