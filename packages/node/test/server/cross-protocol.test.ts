import { describe, expect, it } from "vitest";
import { Argv } from "../../src/resp/argv.ts";
import { Decoder } from "../../src/resp/decoder.ts";
import { looksLikeHttp } from "../../src/server/cross-protocol.ts";

function looksSo(bytes: string): boolean {
  const argv = new Argv();
  const buffer = Buffer.from(bytes, "latin1");
  expect(new Decoder().decode(buffer, 0, buffer.length, argv)).toBe(buffer.length);
  return looksLikeHttp(argv);
}

describe("A request that a browser was made to send (S22)", () => {
  it.each([
    "POST / HTTP/1.1\r\n",
    "post / HTTP/1.1\n",
    "PoSt x\r\n",
    "POST\r\n",
    "Host: example.com:6379\r\n",
    "HOST: x\r\n",
    "hOsT: x\n",
    "host:\r\n",
    "*2\r\n$4\r\nPOST\r\n$1\r\n/\r\n",
    "*1\r\n$5\r\nHost:\r\n",
  ])("is recognised by its first word in any case: %j", (bytes) => {
    expect(looksSo(bytes)).toBe(true);
  });

  it.each([
    "GET POST\r\n",
    "POSTS x\r\n",
    "POS T\r\n",
    "HOST x\r\n",
    "Host:x\r\n",
    "SET Host: POST\r\n",
    "PING\r\n",
  ])("is not seen in what clients send: %j", (bytes) => {
    expect(looksSo(bytes)).toBe(false);
  });
});
