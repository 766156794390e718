/** Stored forms that are cheap to make: what is tested does not depend on what they cost. */
import { formatStoredPassword, hashDigestSync, verifyDigestSync } from "../../src/password.ts";
import type { PasswordWork } from "../../src/prepare-rules.ts";

/** A form that no password is known for; different for each number. */
export function storedForm(number: number): string {
  const salt = Buffer.alloc(16, number);
  return formatStoredPassword({ iterations: 10, salt, hash: Buffer.alloc(32, number >> 8) });
}

/** Hashes with one iteration and salts that count up. */
export function passwordWork(nowMs = 0): PasswordWork & { hashed: number; verified: number } {
  const work = {
    hashed: 0,
    verified: 0,
    hash(digest: Buffer): Promise<string> {
      work.hashed++;
      const salt = Buffer.alloc(8, work.hashed);
      return Promise.resolve(hashDigestSync(digest, { salt, iterations: 1 }));
    },
    verify(digest: Buffer, stored: string): Promise<boolean> {
      work.verified++;
      return Promise.resolve(verifyDigestSync(digest, stored));
    },
    nowMs: () => nowMs,
  };
  return work;
}
