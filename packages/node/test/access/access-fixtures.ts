/** Users, passwords and a log for tests: real rules, cheap hashes, no threads. */
import {
  createUserTable,
  fastDigest,
  hashDigestSync,
  verifyDigestSync,
  type ApplyOutcome,
  type PasswordWork,
  type UserTable,
} from "@ferrite/acl";
import { fileSealing, type FileSealing } from "../../src/access/file-sealing.ts";
import { AclFile } from "../../src/access/acl-file.ts";
import { createCommandTable } from "../../src/commands/all-commands.ts";
import { commandCatalogue } from "../../src/commands/catalogue.ts";
import type { AccessState, UsersOutcome, UsersProposal } from "../../src/replica/access-state.ts";
import type { ServerLogger } from "../../src/server/logger.ts";

export const catalogue = commandCatalogue(createCommandTable());
export const NOW_MS: number = Date.UTC(2026, 5, 21);

export function newUsers(): UserTable {
  return createUserTable(catalogue);
}

/** Hashes of one iteration, each with its own salt. */
export class CheapPasswords implements PasswordWork {
  hashes = 0;
  verifications = 0;
  /** Set to make the hashing thread be lost. */
  failure: Error | null = null;

  nowMs(): number {
    return NOW_MS;
  }

  hash(digest: Buffer): Promise<string> {
    if (this.failure !== null) return Promise.reject(this.failure);
    this.hashes++;
    const salt = Buffer.alloc(8, this.hashes);
    const stored = hashDigestSync(digest, { salt, iterations: 1 });
    digest.fill(0);
    return Promise.resolve(stored);
  }

  verify(digest: Buffer, stored: string): Promise<boolean> {
    if (this.failure !== null) return Promise.reject(this.failure);
    this.verifications++;
    const fits = verifyDigestSync(digest, stored);
    digest.fill(0);
    return Promise.resolve(fits);
  }
}

export function sha256(password: string): string {
  return fastDigest(Buffer.from(password)).toString("hex");
}

export function aclFile(
  path: string,
  users: UserTable,
  passwords: PasswordWork = new CheapPasswords(),
  sealing: FileSealing = fileSealing(null, { warn: () => undefined }),
): AclFile {
  return new AclFile({
    path,
    catalogue,
    users: () => users,
    passwords,
    nowMs: () => NOW_MS,
    sealing,
    version: "1.2.3",
  });
}

/** A cluster of one that agrees at once, unless it is told otherwise. */
export class FakeState implements AccessState {
  table = newUsers();
  readonly proposals: UsersProposal[] = [];
  /** Errors of the next proposals, in their order. */
  readonly errors: string[] = [];
  refusal: string | null = null;
  /** Runs before a proposal is applied: what other nodes did meanwhile. */
  meanwhile: (table: UserTable) => void = () => undefined;

  users(): UserTable {
    return this.table;
  }

  credentialsRefusal(): string | null {
    return this.refusal;
  }

  propose(
    proposal: UsersProposal,
    _actorId: number | null,
    done: (outcome: UsersOutcome) => void,
  ): void {
    this.proposals.push(proposal);
    const errorText = this.errors.shift();
    if (errorText !== undefined) return done({ ok: false, errorText });
    this.meanwhile(this.table);
    const outcome = applyProposal(this.table, proposal);
    return done(outcome.ok ? { ok: true, index: 1, count: outcome.count } : outcome);
  }

  onUsersChanged(): () => void {
    return () => undefined;
  }
}

export function applyProposal(users: UserTable, proposal: UsersProposal): ApplyOutcome {
  if (proposal.kind === "set") return users.setUser(proposal.name, proposal.rules, NOW_MS);
  if (proposal.kind === "delete") return users.deleteUsers(proposal.names);
  if (proposal.kind === "replace") return users.replaceAll(proposal.lines, NOW_MS);
  if (proposal.kind === "policy") return users.setCommandPolicy(proposal);
  return users.seed(proposal.lines, NOW_MS);
}

/** Keeps what is logged, and lets a test wait for it. */
export class CollectingLogger implements ServerLogger {
  readonly lines: { level: string; fields: Record<string, unknown>; message: string }[] = [];
  #waiting: (() => void)[] = [];

  debug = this.#keep("debug");
  info = this.#keep("info");
  warn = this.#keep("warn");
  error = this.#keep("error");

  messages(level: string): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }

  async next(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #keep(level: string): (fields: Record<string, unknown>, message: string) => void {
    return (fields, message) => {
      this.lines.push({ level, fields, message });
      for (const resolve of this.#waiting.splice(0)) resolve();
    };
  }
}
