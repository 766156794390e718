/** All users. Every method is deterministic: the same calls on another node leave the same users there. */
import type {
  ApplyOutcome,
  KnownCommands,
  User,
  UsersChange,
  UserTable,
  UserTableRecord,
} from "./api.ts";
import type { CommandCatalogue } from "./catalogue.ts";
import { CatalogueIndex } from "./catalogue-index.ts";
import { CompiledUser } from "./compiled-user.ts";
import { AclError } from "./errors.ts";
import { expandExpiry } from "./expiry-rules.ts";
import { DEFAULT_ACL_LIMITS, NO_LIMITS } from "./limits.ts";
import type { AclLimits } from "./limits.ts";
import { fastDigest } from "./password.ts";
import { EXPIRED_ALREADY } from "./rule-reasons.ts";
import {
  DEFAULT_USER_REMOVED,
  INVALID_USER_NAME,
  modifierError,
  unmatchedParenthesis,
} from "./rule-errors.ts";
import { mergeSelectorArguments } from "./selector-arguments.ts";
import { hasSpaceOrNul } from "./tokens.ts";
import { DEFAULT_USER_NAME, UserDefinition } from "./user-definition.ts";
import type { DefinitionOptions, PasswordForms } from "./user-definition.ts";
import { applyRules, parseUserLine, RefusedRule } from "./user-line.ts";
import { parseUserTableRecord } from "./user-table-record.ts";

/** Redis' default user: whoever connects may do everything, until somebody changes it. */
export const DEFAULT_USER_RULES: readonly string[] = ["on", "nopass", "~*", "&*", "+@all"];

const DEFAULT_USER_ID = 0;
const MS_PER_SECOND = 1_000;

/**
 * A table that holds the default user only, at revision 0.
 * @param limits what differs from DEFAULT_ACL_LIMITS; equal on all nodes, as they decide what is applied
 */
export function createUserTable(
  catalogue: CommandCatalogue,
  limits: Partial<AclLimits> = {},
): UserTable {
  return new Users(catalogue, { ...DEFAULT_ACL_LIMITS, ...limits });
}

/** A change that is refused, with the text for the client. */
class Refusal {
  readonly ok = false;
  readonly errorText: string;

  constructor(errorText: string) {
    this.errorText = errorText;
  }
}

class Users implements UserTable {
  #index: CatalogueIndex;
  #knownCommands: KnownCommands | null = null;
  readonly #limits: AclLimits;
  #revision = 0;
  #nextId = DEFAULT_USER_ID + 1;
  #byName = new Map<string, CompiledUser>();
  #byId = new Map<number, CompiledUser>();
  #sorted: readonly CompiledUser[] | null = null;
  #lineBytes = 0;
  #nextExpiryMs = Infinity;

  constructor(catalogue: CommandCatalogue, limits: AclLimits) {
    this.#index = CatalogueIndex.of(catalogue);
    this.#limits = limits;
    const definition = new UserDefinition(DEFAULT_USER_NAME, this.#options("stored"));
    applyRules(definition, DEFAULT_USER_RULES);
    this.#put(new CompiledUser(DEFAULT_USER_ID, definition, this.#index));
  }

  get revision(): number {
    return this.#revision;
  }

  get size(): number {
    return this.#byName.size;
  }

  get knownCommands(): KnownCommands | null {
    return this.#knownCommands;
  }

  get nextExpiryMs(): number {
    return this.#nextExpiryMs;
  }

  get(name: string): User | undefined {
    return this.#byName.get(name);
  }

  byId(id: number): User | undefined {
    return this.#byId.get(id);
  }

  all(): readonly User[] {
    this.#sorted ??= [...this.#byName.values()].toSorted((one, other) =>
      one.name < other.name ? -1 : 1,
    );
    return this.#sorted;
  }

  checkRules(name: string, rules: readonly string[], nowMs: number): string | null {
    const expanded = expandExpiry(rules, nowMs);
    if (!expanded.ok) return expanded.errorText;
    const definition = this.#define(name, expanded.rules, nowMs, "client");
    return definition instanceof Refusal ? definition.errorText : null;
  }

  setUser(name: string, rules: readonly string[], nowMs: number): ApplyOutcome {
    const definition = this.#define(name, rules, nowMs, "stored");
    if (definition instanceof Refusal) return definition;
    const before = this.#byName.get(name) ?? null;
    const id = before?.id ?? this.#nextId;
    const after = new CompiledUser(id, definition, this.#index);
    const refusal = this.#sizeRefusal(after, before);
    if (refusal !== null) return refusal;
    if (before === null) this.#nextId++;
    this.#remove(before);
    this.#put(after);
    return this.#changed("set", [{ before, after }], [], 1);
  }

  deleteUsers(names: readonly string[]): ApplyOutcome {
    if (names.includes(DEFAULT_USER_NAME)) return new Refusal(DEFAULT_USER_REMOVED);
    const removed = [...new Set(names)].flatMap((name) => this.#byName.get(name) ?? []);
    if (removed.length === 0) return { ok: true, change: null, count: 0 };
    for (const user of removed) this.#remove(user);
    return this.#changed("delete", [], removed, removed.length);
  }

  replaceAll(lines: readonly string[], nowMs: number): ApplyOutcome {
    return this.#replace("replace", lines, nowMs);
  }

  seed(lines: readonly string[], nowMs: number): ApplyOutcome {
    if (this.#revision !== 0) return { ok: true, change: null, count: 0 };
    return this.#replace("seed", lines, nowMs);
  }

  expire(nowMs: number): ApplyOutcome {
    if (nowMs < this.#nextExpiryMs) return { ok: true, change: null, count: 0 };
    const removed = [...this.#byName.values()].filter((user) => isExpired(user, nowMs));
    for (const user of removed) this.#remove(user);
    return this.#changed("expire", [], removed, removed.length);
  }

  setCommandPolicy(commands: KnownCommands): ApplyOutcome {
    const before = [...this.#byName.values()];
    this.#setKnownCommands(commands);
    const changed = before.map((user) => {
      const after = restoreUser(user.id, user.describe(), this.#verbatim());
      this.#byName.set(user.name, after);
      this.#byId.set(user.id, after);
      return { before: user, after };
    });
    this.#sorted = null;
    return this.#changed("policy", changed, [], changed.length);
  }

  newCommands(): readonly string[] {
    const known = this.#knownCommands;
    if (known === null) return [];
    const names = new Set(known.known);
    return this.#index.entries
      .filter(({ name, isForeseen }) => isForeseen !== true && !names.has(name))
      .map(({ name }) => name);
  }

  record(): UserTableRecord {
    const commands = this.#knownCommands;
    return {
      format: 1,
      revision: this.#revision,
      nextId: this.#nextId,
      users: this.all().map((user) => [user.id, user.describe()] as const),
      ...(commands === null ? {} : { commands }),
    };
  }

  restore(record: unknown): void {
    const { revision, nextId, users, commands } = parseUserTableRecord(record);
    const index = indexFor(this.#index.catalogue, commands ?? null);
    const options = { ...this.#verbatim(), index };
    const restored = users.map(([id, line]) => restoreUser(id, line, options));
    if (new Set(restored.map((user) => user.name)).size !== restored.length) {
      throw new AclError("MALFORMED_USERS", "stored users: a name is there twice");
    }
    if (!restored.some(({ id, name }) => id === DEFAULT_USER_ID && name === DEFAULT_USER_NAME)) {
      throw new AclError("MALFORMED_USERS", "stored users: the default user is missing");
    }
    this.#revision = revision;
    this.#nextId = nextId;
    this.#knownCommands = commands ?? null;
    this.#index = index;
    this.#clear();
    for (const user of restored) this.#put(user);
  }

  stateHash(): string {
    return fastDigest(Buffer.from(JSON.stringify(this.record()), "utf8")).toString("hex");
  }

  #options(passwordForms: PasswordForms): DefinitionOptions {
    return { index: this.#index, limits: this.#limits, passwordForms, isVerbatim: false };
  }

  /** For lines that were accepted once and are read back. */
  #verbatim(): DefinitionOptions {
    const index = this.#index;
    return { index, limits: NO_LIMITS, passwordForms: "stored", isVerbatim: true };
  }

  #setKnownCommands({ policy, known }: KnownCommands): void {
    this.#knownCommands = { policy, known: [...known].toSorted() };
    this.#index = indexFor(this.#index.catalogue, this.#knownCommands);
  }

  /** The user as it would be with these rules. */
  #define(
    name: string,
    rules: readonly string[],
    nowMs: number,
    passwordForms: PasswordForms,
  ): UserDefinition | Refusal {
    if (hasSpaceOrNul(name)) return new Refusal(INVALID_USER_NAME);
    if (name.length > this.#limits.nameBytesMax) {
      return new Refusal(`ERR A user's name has at most ${this.#limits.nameBytesMax} bytes`);
    }
    const merged = mergeSelectorArguments(rules);
    if (!merged.ok) return new Refusal(unmatchedParenthesis(merged.unmatched));
    const options = this.#options(passwordForms);
    const before = this.#byName.get(name);
    const definition = before?.definition.clone(options) ?? new UserDefinition(name, options);
    try {
      applyRules(definition, merged.rules);
    } catch (error) {
      if (error instanceof RefusedRule) {
        return new Refusal(modifierError(error.rule, error.message));
      }
      throw error;
    }
    const expiresAtMs = definition.expiresAtSeconds * MS_PER_SECOND;
    const isNew = definition.expiresAtSeconds !== (before?.definition.expiresAtSeconds ?? 0);
    if (isNew && expiresAtMs > 0 && expiresAtMs <= nowMs) {
      return new Refusal(
        modifierError(`expire-at=${definition.expiresAtSeconds}`, EXPIRED_ALREADY),
      );
    }
    return definition;
  }

  #sizeRefusal(after: CompiledUser, before: CompiledUser | null): Refusal | null {
    const bytes = after.describe().length;
    const total = this.#lineBytes + bytes - (before?.describe().length ?? 0);
    const count = this.#byName.size + (before === null ? 1 : 0);
    return sizeRefusal(this.#limits, { bytes, total, count });
  }

  #replace(kind: "replace" | "seed", lines: readonly string[], nowMs: number): ApplyOutcome {
    const next = this.#compileLines(lines, nowMs);
    if (next instanceof Refusal) return next;
    const removed = [...this.#byName.values()].filter((user) => !next.has(user.name));
    const changed: { before: User | null; after: User }[] = [];
    for (const [name, after] of next) {
      const before = this.#byName.get(name) ?? null;
      if (before?.describe() !== after.describe()) changed.push({ before, after });
      else next.set(name, before);
      this.#nextId = Math.max(this.#nextId, after.id + 1);
    }
    this.#clear();
    for (const user of next.values()) this.#put(user);
    return this.#changed(kind, changed, removed, next.size);
  }

  /** All users of the lines, ids given out, nothing changed yet. */
  #compileLines(lines: readonly string[], nowMs: number): Map<string, CompiledUser> | Refusal {
    const users = new Map<string, CompiledUser>();
    let nextId = this.#nextId;
    let total = 0;
    for (const [position, line] of lines.entries()) {
      const definition = this.#defineLine(line, position + 1);
      if (definition instanceof Refusal) return definition;
      const { name } = definition;
      if (users.has(name))
        return new Refusal(`ERR User ${position + 1} of the list is there twice`);
      const id = this.#byName.get(name)?.id ?? nextId++;
      const user = new CompiledUser(id, definition, this.#index);
      if (isExpired(user, nowMs)) continue;
      const bytes = user.describe().length;
      total += bytes;
      users.set(name, user);
      const refusal = sizeRefusal(this.#limits, { bytes, total, count: users.size });
      if (refusal !== null) return refusal;
    }
    if (!users.has(DEFAULT_USER_NAME)) {
      return new Refusal("ERR The 'default' user is missing: say what it may do, or switch it off");
    }
    return users;
  }

  #defineLine(line: string, position: number): UserDefinition | Refusal {
    try {
      return parseUserLine(line, this.#options("stored"));
    } catch (error) {
      if (!(error instanceof AclError)) throw error;
      return new Refusal(`ERR User ${position} of the list: ${error.message}`);
    }
  }

  #changed(
    kind: UsersChange["kind"],
    changed: UsersChange["changed"],
    removed: readonly User[],
    count: number,
  ): ApplyOutcome {
    this.#revision++;
    return { ok: true, count, change: { revision: this.#revision, kind, changed, removed } };
  }

  #put(user: CompiledUser): void {
    this.#byName.set(user.name, user);
    this.#byId.set(user.id, user);
    this.#lineBytes += user.describe().length;
    this.#sorted = null;
    if (user.expiresAtMs > 0) this.#nextExpiryMs = Math.min(this.#nextExpiryMs, user.expiresAtMs);
  }

  #remove(user: CompiledUser | null): void {
    if (user === null) return;
    this.#byName.delete(user.name);
    this.#byId.delete(user.id);
    this.#lineBytes -= user.describe().length;
    this.#sorted = null;
    if (user.expiresAtMs !== this.#nextExpiryMs) return;
    const times = Array.from(this.#byName.values(), ({ expiresAtMs }) => expiresAtMs || Infinity);
    this.#nextExpiryMs = Math.min(Infinity, ...times);
  }

  #clear(): void {
    this.#byName = new Map();
    this.#byId = new Map();
    this.#sorted = null;
    this.#lineBytes = 0;
    this.#nextExpiryMs = Infinity;
  }
}

/** The catalogue with those commands withheld that are new and not to be granted by category. */
function indexFor(catalogue: CommandCatalogue, commands: KnownCommands | null): CatalogueIndex {
  const plain = CatalogueIndex.of(catalogue);
  if (commands === null || commands.policy === "allow") return plain;
  const known = new Set(commands.known);
  const isNew = plain.entries.filter(({ name }) => !known.has(name));
  return new CatalogueIndex(catalogue, new Set(isNew.map(({ id }) => id)));
}

function restoreUser(id: number, line: string, options: DefinitionOptions): CompiledUser {
  try {
    return new CompiledUser(id, parseUserLine(line, options), options.index);
  } catch (error) {
    if (!(error instanceof AclError)) throw error;
    const name = JSON.stringify(line.split(" ")[1] ?? "");
    throw new AclError(
      "MALFORMED_USERS",
      `stored user ${name} can not be read by this version: ${error.message}`,
    );
  }
}

function isExpired(user: User, nowMs: number): boolean {
  return user.expiresAtMs > 0 && user.expiresAtMs <= nowMs;
}

interface Sizes {
  readonly bytes: number;
  readonly total: number;
  readonly count: number;
}

function sizeRefusal(limits: AclLimits, { bytes, total, count }: Sizes): Refusal | null {
  if (count > limits.usersMax) return new Refusal(`ERR There are at most ${limits.usersMax} users`);
  if (bytes > limits.userBytesMax) {
    return new Refusal(`ERR The rules of a user have at most ${limits.userBytesMax} bytes`);
  }
  if (total > limits.tableBytesMax) {
    return new Refusal(`ERR The rules of all users have at most ${limits.tableBytesMax} bytes`);
  }
  return null;
}
