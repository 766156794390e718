/** Users as plain data, for tests of what asks for them. Only what authentication looks at is there. */
import type { User, UserTable } from "@ferrite/acl";

export interface FakeUser {
  readonly name: string;
  readonly isEnabled?: boolean;
  readonly hasNoPassword?: boolean;
  readonly passwords?: readonly string[];
  readonly expiresAtMs?: number;
}

export class FakeUsers {
  readonly table: UserTable;
  #users = new Map<string, User>();
  #revision = 0;
  #nextId = 0;

  constructor(...users: readonly FakeUser[]) {
    const get = (name: string): User | undefined => this.#users.get(name);
    const all = (): readonly User[] => [...this.#users.values()];
    const revision = (): number => this.#revision;
    this.table = {
      get,
      all,
      get revision() {
        return revision();
      },
    } as unknown as UserTable;
    for (const user of users) this.set(user);
  }

  /** Makes or replaces a user, which is a new revision. */
  set(user: FakeUser): void {
    const id = this.#users.get(user.name)?.id ?? this.#nextId++;
    const defaults = { isEnabled: true, hasNoPassword: false, passwords: [], expiresAtMs: 0 };
    this.#users.set(user.name, { ...defaults, ...user, id } as unknown as User);
    this.#revision++;
  }

  delete(name: string): void {
    this.#users.delete(name);
    this.#revision++;
  }
}
