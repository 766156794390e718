import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { NodeFileSystem, type FileSystem } from "@ferrite/storage";
import { describe, expect, it } from "vitest";
import { GivenKey } from "../../src/at-rest/given-key.ts";
import {
  KEYRING_FILE_NAME,
  keyringPath,
  OpenKeyring,
  probeSource,
  readKeyringFile,
} from "../../src/at-rest/keyring-file.ts";
import {
  NODE_KEYS_MAX,
  newKeyring,
  settled,
  withNewKey,
  type Keyring,
} from "../../src/at-rest/keyring.ts";
import type { KeySource } from "../../src/at-rest/key-source.ts";
import { temporaryDirectory } from "../access/temporary-directory.ts";
import { refusalOf } from "./refusal-of.ts";

const CONTEXT = { nodeId: "node-1", clusterId: "cluster-1" };

function newSource(): GivenKey {
  return new GivenKey(randomBytes(32).toString("base64"));
}

interface World {
  readonly path: string;
  readonly source: GivenKey;
  readonly keyring: OpenKeyring;
  readonly again: (source?: KeySource) => Promise<OpenKeyring>;
}

async function world(acceptsPlainFiles = false): Promise<World> {
  const path = keyringPath(temporaryDirectory());
  const at = { fileSystem: new NodeFileSystem(), path };
  const source = newSource();
  const keyring = await OpenKeyring.create(at, newKeyring(CONTEXT, acceptsPlainFiles), source);
  return { path, source, keyring, again: (given = source) => reopen(path, given) };
}

async function reopen(path: string, source: KeySource): Promise<OpenKeyring> {
  const fileSystem = new NodeFileSystem();
  const file = readKeyringFile(fileSystem, path);
  if (file === null) throw new Error("there is no keyring");
  return await OpenKeyring.open({ fileSystem, path }, file, source);
}

type Stored = Record<string, unknown> & { wrapping: Record<string, string> };

function stored(path: string): Stored {
  return JSON.parse(readFileSync(path, "utf8")) as Stored;
}

describe("the keyring", () => {
  it("opens with what it was wrapped with, and is its owner's alone", async () => {
    const { path, keyring, again } = await world();
    expect((await again()).contents).toEqual(keyring.contents);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(path.endsWith(KEYRING_FILE_NAME)).toBe(true);
  });

  it("holds no key that could be read: neither node keys nor its own (S40)", async () => {
    const { path, keyring } = await world();
    const text = readFileSync(path, "latin1");
    for (const { bytes } of keyring.contents.keys) {
      const key = Buffer.from(bytes);
      for (const form of ["hex", "base64", "latin1"] as const) {
        expect(text).not.toContain(key.toString(form).slice(0, 12));
      }
    }
  });

  it("is refused with another key-encryption key, naming both, and stays as it is (S40)", async () => {
    const { path, keyring, again } = await world();
    const before = readFileSync(path);
    const refusal = await refusalOf(again(newSource()));
    expect(refusal.code).toBe("WRONG_KEY");
    expect(refusal.message).toContain(path);
    expect(refusal.message).toContain(keyring.wrappingKeyId);
    expect(readFileSync(path)).toEqual(before);
  });

  it("is refused when any part of it was changed (S40)", async () => {
    const { path, again } = await world();
    const whole = stored(path);
    const flipped = (text: unknown): string => {
      const bytes = Buffer.from(String(text), "base64");
      bytes[bytes.length >> 1] ^= 1;
      return bytes.toString("base64");
    };
    const forgeries: readonly Stored[] = [
      { ...whole, nodeId: "node-2" },
      { ...whole, clusterId: "cluster-2" },
      { ...whole, nonce: flipped(whole["nonce"]) },
      { ...whole, sealed: flipped(whole["sealed"]) },
      { ...whole, sealed: "" },
      { ...whole, wrapping: { ...whole.wrapping, text: flipped(whole.wrapping["text"]) } },
      { ...whole, wrapping: { ...whole.wrapping, keyId: `x:${whole.wrapping["keyId"]}` } },
      { ...whole, acceptsPlainFiles: true },
      { ...whole, format: 2 },
    ];
    for (const forged of forgeries) {
      writeFileSync(path, JSON.stringify(forged));
      const refusal = await refusalOf(again());
      expect(refusal.code).toBe("KEYRING_DAMAGED");
      expect(refusal.message).toContain(path);
    }
  });

  it("is not put together from two: plain files can not be let in again by an older half (S40)", async () => {
    const { path, keyring, again } = await world(true);
    const open = stored(path);
    keyring.replace(settled(keyring.contents));
    await keyring.rewrap(newSource());
    const closed = stored(path);
    writeFileSync(path, JSON.stringify({ ...open, wrapping: closed.wrapping }));
    expect((await refusalOf(again())).code).toBe("WRONG_KEY");
    writeFileSync(path, JSON.stringify({ ...closed, wrapping: open.wrapping }));
    expect((await refusalOf(again())).code).toBe("KEYRING_DAMAGED");
    // What can not be told: the whole file as it once was.
    writeFileSync(path, JSON.stringify(open));
    expect((await again()).contents.acceptsPlainFiles).toBe(true);
  });

  it("is refused when it is cut, empty or no keyring", async () => {
    const { path, again } = await world();
    const text = readFileSync(path, "utf8");
    for (const contents of ["", "{}", "null", "[1]", text.slice(0, -10), "x".repeat(100_000)]) {
      writeFileSync(path, contents);
      expect((await refusalOf(again())).code).toBe("KEYRING_DAMAGED");
    }
  });

  it("can be copied neither to another node nor to another cluster", async () => {
    const first = await world();
    const second = await world();
    writeFileSync(second.path, readFileSync(first.path));
    expect((await refusalOf(second.again())).code).toBe("WRONG_KEY");
    // The same key-encryption key on both: it opens, and says whose it is.
    expect((await second.again(first.source)).contents.nodeId).toBe(CONTEXT.nodeId);
  });
});

describe("keys in it", () => {
  it("are added in front and never under an id that was used", async () => {
    const { keyring, again } = await world(true);
    keyring.replace(withNewKey(keyring.contents));
    expect(keyring.contents.keys.map(({ id }) => id)).toEqual([2, 1]);
    keyring.replace(settled(keyring.contents));
    keyring.replace(withNewKey(keyring.contents));
    const { contents } = await again();
    expect(contents.keys.map(({ id }) => id)).toEqual([3, 2]);
    expect(contents).toMatchObject({ acceptsPlainFiles: false, revision: 4, lastKeyId: 3 });
  });

  it("have a limit", () => {
    let keyring: Keyring = newKeyring(CONTEXT, false);
    for (let count = 1; count < NODE_KEYS_MAX; count += 1) keyring = withNewKey(keyring);
    expect(() => withNewKey(keyring)).toThrow(/files have to be rewritten first/);
  });

  it("have memory of their own: no other secret travels with them to a thread", async () => {
    const { again } = await world();
    const [key] = (await again()).contents.keys;
    expect(key.bytes.buffer.byteLength).toBe(key.bytes.length);
  });
});

describe("wrapping anew", () => {
  it("changes nothing but the wrap: keys stay, the old key-encryption key is not needed any more", async () => {
    const { keyring, source, again } = await world();
    const before = keyring.contents;
    const next = newSource();
    await keyring.rewrap(next);
    expect((await again(next)).contents).toEqual(before);
    expect((await refusalOf(again(source))).code).toBe("WRONG_KEY");
  });

  it("is not believed to a source that can not unwrap", async () => {
    const { path, keyring } = await world();
    const before = readFileSync(path);
    const next = newSource();
    const oneWay: KeySource = {
      kind: "vault",
      place: "a Vault that may encrypt only",
      currentKeyId: () => Promise.resolve(null),
      wrap: (secret, context) => next.wrap(secret, context),
      unwrap: () => Promise.resolve(randomBytes(32)),
    };
    expect((await refusalOf(keyring.rewrap(oneWay))).message).toMatch(/does not give back/);
    expect((await refusalOf(probeSource(oneWay))).code).toBe("WRONG_KEY");
    expect(readFileSync(path)).toEqual(before);
    await probeSource(next);
  });

  it("leaves all as it was when the disk does not take it", async () => {
    const { path, keyring, source } = await world();
    const fileSystem: FileSystem = new NodeFileSystem();
    const file = readKeyringFile(fileSystem, path);
    if (file === null) throw new Error("there is no keyring");
    const full = new Proxy(fileSystem, {
      get(target, name, receiver) {
        if (name === "rename") throw Object.assign(new Error("full"), { code: "ENOSPC" });
        const value: unknown = Reflect.get(target, name, receiver);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const opened = await OpenKeyring.open({ fileSystem: full, path }, file, source);
    await expect(opened.rewrap(newSource())).rejects.toThrow("full");
    expect(() => opened.replace(withNewKey(opened.contents))).toThrow("full");
    expect(opened.contents).toEqual(keyring.contents);
    expect(opened.wrappingKeyId).toBe(keyring.wrappingKeyId);
    expect((await reopen(path, source)).contents).toEqual(keyring.contents);
  });

  it("makes no keyring when the source fails", async () => {
    const path = keyringPath(temporaryDirectory());
    const at = { fileSystem: new NodeFileSystem(), path };
    const broken: KeySource = {
      kind: "file",
      place: "nowhere",
      currentKeyId: () => Promise.resolve(null),
      wrap: () => Promise.reject(new Error("gone")),
      unwrap: () => Promise.reject(new Error("gone")),
    };
    await expect(OpenKeyring.create(at, newKeyring(CONTEXT, false), broken)).rejects.toThrow();
    expect(existsSync(path)).toBe(false);
  });
});
