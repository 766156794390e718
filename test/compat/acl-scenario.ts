/**
 * One story about users, told to two servers: rules are set one call after the other, the users are listed and
 * described, asked about (ACL DRYRUN), then logged in and let loose. What the servers say differently is returned.
 */
import { escapeBytes } from "../../packages/node/test/commands/transcript.ts";
import { explainAclDifference } from "./acl-explained.ts";
import { compareUsers } from "./acl-users.ts";
import { encodeWords } from "./requests.ts";
import type { Session, Target } from "./target.ts";

export interface Asked {
  /** Byte string. */
  readonly user: string;
  /** The request, or the rules. */
  readonly words: readonly string[];
}

export interface Scenario {
  readonly protocol: 2 | 3;
  readonly changes: readonly Asked[];
  readonly dryRuns: readonly Asked[];
  readonly requests: readonly Asked[];
}

/** Users that log in. */
export const LOGIN_USERS: readonly string[] = ["alice", "bob", "\xe9ve"];

export interface ScenarioResult {
  readonly differences: readonly string[];
  /** How often each explanation was needed. */
  readonly explained: ReadonlyMap<string, number>;
  readonly compared: number;
  /** Replies that were refusals: a run in which nothing is denied, or all is, would show little. */
  readonly denied: number;
}

/** Both servers know no user but the default one, before and after. */
export class ScenarioRunner {
  readonly #targets: readonly [theirs: Target, ours: Target];
  #differences: string[] = [];
  #explained = new Map<string, number>();
  #compared = 0;
  #denied = 0;

  constructor(theirs: Target, ours: Target) {
    this.#targets = [theirs, ours];
  }

  async run(scenario: Scenario): Promise<ScenarioResult> {
    this.#differences = [];
    this.#explained = new Map();
    this.#compared = 0;
    this.#denied = 0;
    const { protocol } = scenario;
    const controls = await this.#open(protocol);
    try {
      await this.#compare(controls, changesOf(scenario));
      await this.#compareUsers(controls);
      await this.#compare(controls, questionsOf(scenario));
      for (const user of LOGIN_USERS) await this.#letLoose(user, scenario);
    } finally {
      await this.#compare(controls, [
        ["ACL", "DELUSER", ...usersOf(scenario)],
        ["ACL", "USERS"],
      ]);
      await close(controls);
    }
    return {
      differences: this.#differences,
      explained: this.#explained,
      compared: this.#compared,
      denied: this.#denied,
    };
  }

  /** Logs in as the user and sends its requests, in one pipeline. */
  async #letLoose(user: string, { protocol, requests }: Scenario): Promise<void> {
    const own = requests.filter((request) => request.user === user).map(({ words }) => words);
    if (own.length === 0) return;
    const sessions = await this.#open(protocol);
    try {
      await this.#compare(sessions, [["AUTH", user, "any"], ["ACL", "WHOAMI"], ...own]);
    } finally {
      await close(sessions);
    }
  }

  #open(protocol: 2 | 3): Promise<Session[]> {
    return Promise.all(this.#targets.map((target) => target.open(protocol)));
  }

  async #compareUsers([theirs, ours]: readonly Session[]): Promise<void> {
    const { differences, compared } = await compareUsers(theirs, ours);
    this.#compared += compared;
    this.#differences.push(...differences);
  }

  async #compare(
    sessions: readonly Session[],
    requests: readonly (readonly string[])[],
  ): Promise<void> {
    const encoded = requests.map(encodeWords);
    const [theirs, ours] = await Promise.all(sessions.map((session) => session.exchange(encoded)));
    for (const [at, words] of requests.entries()) {
      this.#judge(words, theirs[at], ours[at]);
    }
  }

  #judge(words: readonly string[], theirs: Buffer, ours: Buffer): void {
    this.#compared++;
    if (/NOPERM|no permissions/.test(theirs.toString("latin1"))) this.#denied++;
    if (theirs.equals(ours)) return;
    const reason = explainAclDifference(words, theirs, ours);
    if (reason !== null) {
      this.#explained.set(reason, (this.#explained.get(reason) ?? 0) + 1);
      return;
    }
    this.#differences.push(
      [
        words.map((word) => JSON.stringify(word)).join(" "),
        `  redis:   ${escapeBytes(theirs).slice(0, 500)}`,
        `  ferrite: ${escapeBytes(ours).slice(0, 500)}`,
      ].join("\n"),
    );
  }
}

/** Keys, users, rules. */
function changesOf({ changes }: Scenario): (readonly string[])[] {
  return [
    ["FLUSHALL"],
    ["MSET", "a", "1", "b", "text", "c", "", "key:1", "5", "key:2", "v", "K", "k"],
    ...LOGIN_USERS.map((user) => ["ACL", "SETUSER", user]),
    ...changes.map(({ user, words }) => ["ACL", "SETUSER", user, ...words]),
  ];
}

/** What the administrator asks before anybody logs in. */
function questionsOf(scenario: Scenario): (readonly string[])[] {
  return [
    ["ACL", "USERS"],
    ...usersOf(scenario).map((user) => ["ACL", "GETUSER", user]),
    ...scenario.dryRuns.map(({ user, words }) => ["ACL", "DRYRUN", user, ...words]),
    // So that they can log in; a password would take its time.
    ...LOGIN_USERS.map((user) => ["ACL", "SETUSER", user, "on", "nopass"]),
  ];
}

function usersOf({ changes }: Scenario): string[] {
  return [...new Set([...LOGIN_USERS, ...changes.map(({ user }) => user)])];
}

async function close(sessions: readonly Session[]): Promise<void> {
  await Promise.all(sessions.map((session) => session.close()));
}
