import { randomBytes } from "node:crypto";
import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AtRestError } from "../../src/at-rest/errors.ts";
import { forgetKeyVariable, GivenKey } from "../../src/at-rest/given-key.ts";
import { KeyFile, KEY_FILE_BYTES_MAX } from "../../src/at-rest/key-file.ts";
import { parseKeyText } from "../../src/at-rest/key-text.ts";
import { temporaryDirectory } from "../access/temporary-directory.ts";
import { refusalOf } from "./refusal-of.ts";

const CONTEXT = { nodeId: "node-1", clusterId: "cluster-1" };
const SECRET = randomBytes(32);

function newKey(): string {
  return randomBytes(32).toString("base64");
}

function keyFile(contents: string | Buffer, mode = 0o600): { file: KeyFile; warnings: string[] } {
  const path = join(temporaryDirectory(), "kek");
  writeFileSync(path, contents);
  chmodSync(path, mode);
  const warnings: string[] = [];
  return { file: new KeyFile(path, (message) => warnings.push(message)), warnings };
}

describe("a file of key-encryption keys", () => {
  it.each([
    ["base64", (bytes: Buffer) => bytes.toString("base64")],
    ["base64 and a line end", (bytes: Buffer) => `${bytes.toString("base64")}\r\n`],
    ["base64 without padding", (bytes: Buffer) => bytes.toString("base64url")],
    ["hexadecimal", (bytes: Buffer) => bytes.toString("hex")],
    ["raw bytes", (bytes: Buffer) => bytes],
    ["a name and base64", (bytes: Buffer) => `2026-11:${bytes.toString("base64")}`],
    ["comments", (bytes: Buffer) => `# ours\n\n${bytes.toString("base64")}\n`],
  ])("holds one as %s", async (_, write) => {
    const key = randomBytes(32);
    const { file } = keyFile(write(key));
    const wrapped = await file.wrap(SECRET, CONTEXT);
    expect(wrapped.by).toBe("local");
    // The same key, however it is written down.
    const same = new GivenKey(key.toString("base64"));
    expect(Buffer.from(await same.unwrap(wrapped, CONTEXT))).toEqual(SECRET);
  });

  it("wraps with the first key and opens with all of them: a key is changed by a line on top (S40)", async () => {
    const [old, fresh] = [newKey(), newKey()];
    const before = await keyFile(`old:${old}\n`).file.wrap(SECRET, CONTEXT);
    const { file } = keyFile(`new:${fresh}\nold:${old}\n`);
    expect(Buffer.from(await file.unwrap(before, CONTEXT))).toEqual(SECRET);
    const after = await file.wrap(SECRET, CONTEXT);
    expect(after.keyId).toMatch(/^new:[0-9a-f]{16}$/);
    const refusal = await refusalOf(keyFile(`old:${old}`).file.unwrap(after, CONTEXT));
    expect(refusal).toMatchObject({ code: "WRONG_KEY" });
    expect(refusal.message).toContain(after.keyId);
  });

  it("finds a key by its fingerprint, also when its name was changed", async () => {
    const key = newKey();
    const wrapped = await keyFile(`one:${key}`).file.wrap(SECRET, CONTEXT);
    expect(Buffer.from(await keyFile(`two:${key}`).file.unwrap(wrapped, CONTEXT))).toEqual(SECRET);
  });

  it.each([
    ["nothing", "", /it is empty/],
    ["only a comment", "# no key\n", /it holds no key/],
    ["too few bytes", randomBytes(31).toString("base64"), /line 1: a key is 32 bytes/],
    ["a password", "correct horse battery staple", /line 1: a key is 32 bytes/],
    ["a text of 32 characters", "0123456789abcdefghijklmnopqrstuv", /holds a text/],
    ["zeros", Buffer.alloc(32).toString("base64"), /not random/],
    ["a second line that is no key", `${newKey()}\nold:???\n`, /line 2/],
    ["a bad name", `my key:${newKey()}`, /the id before the colon/],
    ["too much", "#".repeat(KEY_FILE_BYTES_MAX + 1), /more than 16384 bytes/],
    ["too many keys", Array.from({ length: 65 }, newKey).join("\n"), /more than 64 keys/],
  ])("is refused when it holds %s, and never quoted", async (_, contents, message) => {
    const refusal = await refusalOf(keyFile(contents).file.wrap(SECRET, CONTEXT));
    expect(refusal.code).toBe("KEY_UNREADABLE");
    expect(refusal.message).toMatch(message);
    if (contents.length > 8) expect(refusal.message).not.toContain(contents.slice(0, 12));
  });

  it("is refused when it is not there or no file, with its setting and path", async () => {
    const directory = temporaryDirectory();
    const missing = new KeyFile(join(directory, "kek"), () => undefined);
    expect((await refusalOf(missing.wrap(SECRET, CONTEXT))).message).toBe(
      `at-rest-key-file ${directory}/kek can not be read: it does not exist`,
    );
    const folder = new KeyFile(directory, () => undefined);
    expect((await refusalOf(folder.wrap(SECRET, CONTEXT))).message).toMatch(/no regular file/);
  });

  it("may be a link, as Kubernetes makes them, and readable by others: that is warned of", async () => {
    const { file, warnings } = keyFile(newKey(), 0o644);
    await file.wrap(SECRET, CONTEXT);
    expect(warnings.join()).toMatch(/can be read by other users/);
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "data"), newKey(), { mode: 0o600 });
    symlinkSync(join(directory, "data"), join(directory, "kek"));
    const quiet: string[] = [];
    const link = new KeyFile(join(directory, "kek"), (message) => quiet.push(message));
    await link.wrap(SECRET, CONTEXT);
    expect(quiet).toEqual([]);
  });
});

describe("a wrapped secret", () => {
  const source = new GivenKey(newKey());

  it("is bound to node and cluster: it does not open as another's (S40)", async () => {
    const wrapped = await source.wrap(SECRET, CONTEXT);
    for (const other of [
      { ...CONTEXT, nodeId: "node-2" },
      { ...CONTEXT, clusterId: "cluster-2" },
    ]) {
      const refusal = await refusalOf(source.unwrap(wrapped, other));
      expect(refusal.code).toBe("KEYRING_DAMAGED");
    }
  });

  it("is another one each time, and does not open when any of its bytes is changed", async () => {
    const wrapped = await source.wrap(SECRET, CONTEXT);
    expect((await source.wrap(SECRET, CONTEXT)).text).not.toBe(wrapped.text);
    const bytes = Buffer.from(wrapped.text, "base64");
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] ^= 1;
      const forged = { ...wrapped, text: changed.toString("base64") };
      expect((await refusalOf(source.unwrap(forged, CONTEXT))).code).toBe("KEYRING_DAMAGED");
    }
    const short = { ...wrapped, text: bytes.subarray(0, 20).toString("base64") };
    expect((await refusalOf(source.unwrap(short, CONTEXT))).code).toBe("KEYRING_DAMAGED");
  });

  it("names its key by a fingerprint that is no part of the key", async () => {
    const text = newKey();
    const { keyId } = await new GivenKey(text).wrap(SECRET, CONTEXT);
    expect(keyId).toMatch(/^[0-9a-f]{16}$/);
    expect(Buffer.from(text, "base64").toString("hex")).not.toContain(keyId);
    expect(parseKeyText(text)).toMatchObject({ ok: true, key: { fingerprint: keyId } });
  });

  it("of Vault is not tried with a local key", async () => {
    const wrapped = { by: "vault", keyId: "transit/ferrite:v1", text: "vault:v1:AAAA" } as const;
    const refusal = await refusalOf(source.unwrap(wrapped, CONTEXT));
    expect(refusal.message).toMatch(/wrapped with Vault's key transit\/ferrite:v1/);
  });
});

describe("a key in the environment", () => {
  it("is taken out of it, so that nothing that is started inherits it", () => {
    const environment = { FERRITE_AT_REST_KEY: newKey(), PATH: "/bin" };
    forgetKeyVariable(environment);
    expect(environment).toEqual({ PATH: "/bin" });
  });

  it("is refused without being repeated when it is none", () => {
    expect(() => new GivenKey("hunter2hunter2")).toThrow(AtRestError);
    expect(() => new GivenKey("hunter2hunter2")).not.toThrow(/hunter2/);
  });
});
