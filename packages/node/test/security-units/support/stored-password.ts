/** Stored forms made at once, with as few iterations as a test wants. */
import { pbkdf2Sync } from "node:crypto";
import { fastDigest, formatStoredPassword } from "@ferrite/acl";

let nextSalt = 1;

export function storedPassword(password: string, iterations: number): string {
  const salt = Buffer.alloc(16, nextSalt++);
  const digest = fastDigest(Buffer.from(password));
  const hash = pbkdf2Sync(digest, salt, iterations, 32, "sha256");
  return formatStoredPassword({ salt, iterations, hash });
}
