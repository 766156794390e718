/**
 * How many iterations a refusal costs, whoever is refused (S14). Users can have several passwords, and hashes from
 * before the policy rose are cheaper: a refusal that took as long as the user's own hashes would tell who exists.
 * So all of them take as long as the most expensive user's, up to a bound.
 */
import { parseStoredPassword } from "@ferrite/acl";
import type { StoredPassword, User, UserTable } from "@ferrite/acl";

/**
 * In units of the policy's iterations: what all refusals are raised to at most. A user whose passwords cost more than
 * this together (five at once, a foreign file with a huge number) can be told apart by time; raising everybody to it
 * would let one such user make every login slow.
 */
const EQUAL_WORK_POLICIES_MAX = 4;

export class EqualWork {
  /** Users never change: what their passwords cost is found out once. */
  readonly #candidates = new WeakMap<User, readonly StoredPassword[]>();
  #table: UserTable | null = null;
  #revision = -1;
  #mostIterations = 0;

  /** What a user's passwords are. Throws AclError MALFORMED_PASSWORD_HASH. */
  candidatesOf(user: User): readonly StoredPassword[] {
    let candidates = this.#candidates.get(user);
    if (candidates === undefined) {
      candidates = user.passwords.map(parseStoredPassword);
      this.#candidates.set(user, candidates);
    }
    return candidates;
  }

  /** Iterations to spend on nothing after these candidates did not fit. */
  paddingFor(
    candidates: readonly StoredPassword[],
    table: UserTable,
    policyIterations: number,
  ): number {
    const bound = policyIterations * EQUAL_WORK_POLICIES_MAX;
    const wanted = Math.max(policyIterations, Math.min(this.#most(table), bound));
    return Math.max(wanted - iterationsOf(candidates), 0);
  }

  #most(table: UserTable): number {
    if (table === this.#table && table.revision === this.#revision) return this.#mostIterations;
    let most = 0;
    for (const user of table.all()) {
      if (user.isEnabled) most = Math.max(most, iterationsOf(this.candidatesOf(user)));
    }
    this.#table = table;
    this.#revision = table.revision;
    this.#mostIterations = most;
    return most;
  }
}

function iterationsOf(candidates: readonly StoredPassword[]): number {
  return candidates.reduce((sum, candidate) => sum + candidate.iterations, 0);
}
