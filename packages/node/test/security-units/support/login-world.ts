/** An authenticator with everything around it in a test's hands: users, hashing, time. */
import { Authenticator } from "../../../src/security/authenticator.ts";
import type { LoginAttempt, RehashProposal } from "../../../src/security/authenticator.ts";
import type { AuthenticationResult } from "../../../src/security/authentication-result.ts";
import { AuthThrottle, THROTTLE_SETTINGS_DEFAULT } from "../../../src/security/auth-throttle.ts";
import { silentLogger } from "../../../src/server/logger.ts";
import { FakeHashing } from "./fake-hashing.ts";
import { FakeUsers } from "./fake-users.ts";
import type { FakeUser } from "./fake-users.ts";
import { VirtualTime } from "./virtual-time.ts";

/** Iterations of a hash by the policy: as few as can be, they are only counted. */
export const POLICY = 64;

export class LoginWorld {
  users: FakeUsers;
  readonly hashing: FakeHashing = new FakeHashing();
  readonly time: VirtualTime = new VirtualTime();
  readonly throttle: AuthThrottle = new AuthThrottle(THROTTLE_SETTINGS_DEFAULT);
  readonly rehashes: RehashProposal[] = [];
  /** Messages logged as errors. */
  readonly errors: string[] = [];
  readonly authenticator: Authenticator;
  refusal: string | null = null;
  isProtected = true;
  policy: number = POLICY;
  clusterNowMs = 1_000;

  constructor(users: readonly FakeUser[], cacheEntriesMax = 10_000) {
    this.users = new FakeUsers(...users);
    this.authenticator = new Authenticator({
      users: () => this.users.table,
      credentialsRefusal: () => this.refusal,
      isProtected: () => this.isProtected,
      policyIterations: () => this.policy,
      clusterNowMs: () => this.clusterNowMs,
      hashing: this.hashing,
      throttle: this.throttle,
      monotonicNowMs: () => this.time.nowMs,
      sleep: (ms) => this.time.sleep(ms),
      onRehash: (proposal) => this.rehashes.push(proposal),
      logger: { ...silentLogger, error: (_fields, message) => this.errors.push(message) },
      cacheEntriesMax,
    });
  }

  /** Begins a login from 10.0.0.9 unless told otherwise. */
  begin(
    name: string,
    password: string,
    from: Partial<LoginAttempt> = {},
  ): AuthenticationResult | Promise<AuthenticationResult> {
    const bytes = Buffer.from(password);
    const attempt = { name, password: bytes, origin: "remote", address: "10.0.0.9" } as const;
    return this.authenticator.authenticate({ ...attempt, ...from });
  }

  /** The outcome in one word: the reason of a refusal, or the kind of any other. */
  async login(name: string, password: string, from: Partial<LoginAttempt> = {}): Promise<string> {
    const result = await this.begin(name, password, from);
    return result.kind === "refused" ? result.reason : result.kind;
  }
}
