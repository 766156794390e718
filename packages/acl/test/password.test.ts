import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  fastDigest,
  hashDigest,
  hashDigestSync,
  hashPassword,
  needsRehash,
  verifyDigest,
  verifyDigestSync,
  verifyPassword,
} from "../src/password.ts";

const salt = Buffer.from("00112233445566778899aabbccddeeff", "hex");
/** Few, so that tests are quick; what is checked does not depend on it. */
const iterations = 10;
const password = Buffer.from("correct horse");

describe("a stored password", () => {
  it("names its scheme, iterations, salt and hash, and never holds the password", async () => {
    const stored = await hashPassword(password, { salt, iterations });
    expect(stored).toMatch(/^pbkdf2-sha256\$10\$00112233445566778899aabbccddeeff\$[0-9a-f]{64}$/);
    expect(stored).not.toContain("horse");
  });

  it("verifies the password it was made of and no other", async () => {
    const stored = await hashPassword(password, { salt, iterations });
    expect(await verifyPassword(password, stored)).toBe(true);
    for (const wrong of ["", "correct hors", "correct horse ", "Correct horse"]) {
      expect(await verifyPassword(Buffer.from(wrong), stored)).toBe(false);
    }
  });

  it("differs with the salt and with the iterations", async () => {
    const one = await hashPassword(password, { salt, iterations });
    const otherSalt = Uint8Array.from(salt).toReversed();
    expect(await hashPassword(password, { salt: otherSalt, iterations })).not.toBe(one);
    const more = await hashPassword(password, { salt, iterations: 11 });
    expect(more.split("$")[3]).not.toBe(one.split("$")[3]);
  });

  it("stands on SHA-256 of the password, which is what Redis' # rules hold", () => {
    const hex = createHash("sha256").update(password).digest("hex");
    expect(fastDigest(password).toString("hex")).toBe(hex);
  });

  it("can be made and compared with the digest only, with or without waiting (S15)", async () => {
    const stored = await hashPassword(password, { salt, iterations });
    const digest = fastDigest(password);
    expect(await hashDigest(digest, { salt, iterations })).toBe(stored);
    expect(hashDigestSync(digest, { salt, iterations })).toBe(stored);
    expect([await verifyDigest(digest, stored), verifyDigestSync(digest, stored)]).toEqual([
      true,
      true,
    ]);
    const wrong = fastDigest(Buffer.from("wrong"));
    expect([await verifyDigest(wrong, stored), verifyDigestSync(wrong, stored)]).toEqual([
      false,
      false,
    ]);
  });

  it("is no password itself, nor is the digest it stands on (S13, S15)", async () => {
    const stored = await hashPassword(password, { salt, iterations });
    const digest = fastDigest(password);
    for (const stolen of [stored, `#${stored}`, digest.toString("hex"), digest]) {
      expect(await verifyPassword(Buffer.from(stolen as string), stored)).toBe(false);
    }
  });

  it("is to be made anew when the policy has risen above it", async () => {
    const stored = await hashPassword(password, { salt, iterations });
    expect(needsRehash(stored, { iterations: iterations + 1 })).toBe(true);
    expect(needsRehash(stored, { iterations })).toBe(false);
    expect(() => needsRehash("x", { iterations })).toThrow("not of a known form");
  });

  it.each([
    "",
    "secret",
    "pbkdf2-sha1$10$0011223344556677$" + "00".repeat(32),
    "pbkdf2-sha256$0$0011223344556677$" + "00".repeat(32),
    "pbkdf2-sha256$1e3$0011223344556677$" + "00".repeat(32),
    "pbkdf2-sha256$99999999$0011223344556677$" + "00".repeat(32),
    "pbkdf2-sha256$10$00112233$" + "00".repeat(32),
    "pbkdf2-sha256$10$zz11223344556677$" + "00".repeat(32),
    "pbkdf2-sha256$10$0011223344556677$" + "00".repeat(31),
    "pbkdf2-sha256$10$0011223344556677$" + "00".repeat(32) + "$x",
  ])("of another form is refused: %j", async (stored) => {
    await expect(verifyPassword(password, stored)).rejects.toMatchObject({
      code: "MALFORMED_PASSWORD_HASH",
    });
  });
});
