/** Secrets that nobody else uses, and where each of them may be found again in some form: nowhere. */
import { createHash, randomBytes } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface Needle {
  readonly name: string;
  readonly form: string;
  readonly bytes: Buffer;
}

export class Canaries {
  readonly #needles: Needle[] = [];

  /** A new password. It is looked for as it is and in every form in which it could be kept without being protected. */
  password(name: string): string {
    const password = this.secret(name);
    const digest = createHash("sha256").update(password).digest();
    this.#add(name, "SHA-256 in hex", digest.toString("hex"));
    this.#add(name, "SHA-256 in upper case", digest.toString("hex").toUpperCase());
    this.#add(name, "SHA-256 in base64", digest.toString("base64"));
    this.#add(name, "SHA-256", digest);
    return password;
  }

  /** A secret that may be hashed. */
  secret(name: string): string {
    const secret = `canary-${name}-${randomBytes(9).toString("hex")}`;
    this.#add(name, "plain", secret);
    this.#add(name, "UTF-16", Buffer.from(secret, "utf16le"));
    this.#add(name, "hex", Buffer.from(secret).toString("hex"));
    this.#add(name, "base64", Buffer.from(secret).toString("base64").replace(/.?=*$/, ""));
    return secret;
  }

  /** Something that is no secret, to see that it would be found. */
  bait(text: string): void {
    this.#add("bait", "plain", text);
  }

  /** Names and forms of the canaries in these bytes, with where that is. */
  in(bytes: Uint8Array | string, where: string): string[] {
    const haystack =
      typeof bytes === "string"
        ? Buffer.from(bytes)
        : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return this.#needles
      .filter(({ bytes: needle }) => haystack.includes(needle))
      .map(({ name, form }) => `${name} (${form}) in ${where}`);
  }

  /** The same for every file below a directory; symbolic links are not followed. */
  below(directory: string, isLookedAt: (path: string) => boolean = () => true): string[] {
    return filesBelow(directory)
      .filter(isLookedAt)
      .flatMap((path) => this.in(readFileSync(path), path));
  }

  #add(name: string, form: string, bytes: string | Buffer): void {
    this.#needles.push({ name, form, bytes: Buffer.from(bytes) });
  }
}

/** Every regular file, however deep. */
export function filesBelow(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    const facts = lstatSync(path);
    if (facts.isDirectory()) return filesBelow(path);
    return facts.isFile() ? [path] : [];
  });
}
