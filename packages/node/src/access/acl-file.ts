/**
 * The ACL file of this node: what ACL SAVE writes, ACL LOAD reads and a new cluster gets its first users from. It is a
 * copy for people and for other clusters; the users of a living one are in the replicated state.
 */
import {
  ACL_FILE_BYTES_MAX,
  formatAclFile,
  formatUserLine,
  parseAclFile,
  prepareRules,
  type AclFileError,
  type AclFileUser,
  type CommandCatalogue,
  type PasswordWork,
  type UserTable,
} from "@ferrite/acl";
import type { AclFileView } from "./access-view.ts";
import { AccessError } from "./errors.ts";
import type { FileSealing } from "./file-sealing.ts";
import { HashingUnavailable } from "./password-work.ts";
import { replaceFile } from "./replace-file.ts";
import { readTrustedFile } from "./trusted-file.ts";

/** Of the wrong lines of a file, as many as an error reply names. */
const ERRORS_TOLD_MAX = 5;

export interface AclFileParts {
  /** Absolute: `aclfile`, or acl.conf in the data directory. */
  readonly path: string;
  readonly catalogue: CommandCatalogue;
  /** The users as of now, for SAVE. */
  readonly users: () => UserTable;
  /** What hashes the `#` rules of files that Redis wrote. */
  readonly passwords: PasswordWork;
  readonly nowMs: () => number;
  readonly sealing: FileSealing;
  /** Of Ferrite, for the header. */
  readonly version: string;
}

export class AclFile implements AclFileView {
  readonly path: string;
  readonly #parts: AclFileParts;
  /** The last SAVE that was asked for: one is written after the other, so that the newest users are what stays. */
  #saved: Promise<unknown> = Promise.resolve();

  constructor(parts: AclFileParts) {
    this.path = parts.path;
    this.#parts = parts;
  }

  save(): Promise<string | null> {
    const turn = this.#saved.then(() => this.#write());
    this.#saved = turn;
    return turn;
  }

  async read(): ReturnType<AclFileView["read"]> {
    try {
      const users = await this.parse();
      if (users === null) {
        const errorText = `ERR There is no ACL file to load: ${this.path} does not exist; ACL SAVE makes it`;
        return { ok: false, errorText };
      }
      return { ok: true, lines: await this.hashed(users) };
    } catch (error) {
      return { ok: false, errorText: `ERR ${messageOf(error)}. The users were not changed` };
    }
  }

  /**
   * The users of the file as they stand there, all lines checked; null when there is no file.
   * @throws AccessError ACL_FILE_REFUSED that names the file, the lines and what to do
   */
  async parse(): Promise<readonly AclFileUser[] | null> {
    const { sealing } = this.#parts;
    const stored = await readTrustedFile(this.path, ACL_FILE_BYTES_MAX + sealing.headerBytes);
    if (stored === null) return null;
    const parsed = parseAclFile(this.#opened(stored), this.#parts.catalogue);
    if (!parsed.ok) throw new AccessError("ACL_FILE_REFUSED", this.#describe(parsed.errors));
    return parsed.users;
  }

  /**
   * Lines that may be replicated. Passwords that Redis kept are hashed, each taking as long as a login.
   * @throws AccessError ACL_FILE_REFUSED when the hashing thread does not do it
   */
  async hashed(users: readonly AclFileUser[]): Promise<readonly string[]> {
    const lines: string[] = [];
    for (const { lineNumber, name, rules, needsHashing } of users) {
      const prepared = needsHashing ? await this.#prepare(rules) : ({ ok: true, rules } as const);
      if (!prepared.ok) {
        const message = prepared.errorText.replace(/^ERR /, "");
        throw new AccessError("ACL_FILE_REFUSED", this.#describe([{ lineNumber, message }]));
      }
      lines.push(formatUserLine(name, prepared.rules));
    }
    return lines;
  }

  #opened(stored: Uint8Array): Uint8Array {
    try {
      return this.#parts.sealing.open(this.path, stored);
    } catch (error) {
      if (error instanceof AccessError) throw error;
      throw new AccessError("ACL_FILE_REFUSED", `${this.path} is not read: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  async #prepare(rules: readonly string[]): ReturnType<typeof prepareRules> {
    try {
      return await prepareRules(rules, undefined, this.#parts.passwords);
    } catch (error) {
      if (error instanceof HashingUnavailable) return { ok: false, errorText: error.message };
      throw error;
    }
  }

  async #write(): Promise<string | null> {
    const { users, nowMs, version, sealing } = this.#parts;
    const generatedAt = `${new Date(nowMs()).toISOString()} by Ferrite ${version}`;
    try {
      const contents = formatAclFile(users().all(), { generatedAt });
      await replaceFile(this.path, sealing.seal(contents));
      return null;
    } catch (error) {
      return `ERR ${messageOf(error)}`;
    }
  }

  /** `/data/acl.conf:3: ...` as compilers write it, so that editors find the place. */
  #describe(errors: readonly AclFileError[]): string {
    const told = errors.slice(0, ERRORS_TOLD_MAX).map(({ lineNumber, message }) => {
      return lineNumber === 0
        ? `${this.path}: ${message}`
        : `${this.path}:${lineNumber}: ${message}`;
    });
    const rest = errors.length - told.length;
    return [...told, ...(rest > 0 ? [`and ${rest} more`] : [])].join("; ");
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
