/**
 * Users at the start of a node. A cluster whose users nobody has ever changed gets its first ones from the ACL file or from
 * `requirepass`; in a living one the replicated state is what counts, and what differs from it is only reported.
 *
 *   file wrong -----------------------------------------------> the start fails (F64, D6)
 *   revision 0, file or requirepass --> propose them (seed) --> done when applied
 *   revision > 0 ---------------------------------------------> compare, warn
 */
import {
  DEFAULT_USER_RULES,
  formatUserLine,
  prepareRules,
  type AclFileUser,
  type PasswordWork,
} from "@ferrite/acl";
import type { AccessState, UsersOutcome } from "../replica/access-state.ts";
import type { ServerLogger } from "../server/logger.ts";
import type { AclFile } from "./acl-file.ts";
import { requirepassRules } from "./access-service.ts";
import { reportDifferences, type ComparisonParts } from "./compare-users.ts";
import { AccessError } from "./errors.ts";

const RETRY_DELAY_MS = 100;

export interface BootUsersParts extends Omit<ComparisonParts, "fileUsers"> {
  readonly state: AccessState;
  readonly file: AclFile;
  readonly passwords: PasswordWork;
  /** Of the configuration; empty: none. */
  readonly requirepass: string;
  readonly logger: ServerLogger;
  /** Aborted when the node stops: waiting ends. */
  readonly signal: AbortSignal;
}

/**
 * Resolves when users may be served: to be awaited before the first credential is honoured. Waits for a leader when the
 * cluster has no users yet and this node brings some.
 * @throws AccessError ACL_FILE_REFUSED or USERS_NOT_SEEDED; the reason of `signal` when it is aborted
 */
export async function bootUsers(parts: BootUsersParts): Promise<void> {
  const fileUsers = await parts.file.parse();
  await stateKnown(parts);
  const isSeeded = parts.state.users().revision === 0 && (await seedUsers(parts, fileUsers));
  if (isSeeded || parts.state.users().revision === 0) return;
  // Checking passwords takes time, and nothing depends on the outcome.
  void reportDifferences({ ...parts, fileUsers });
}

/** Waits until this node knows the users of the cluster as they are now. */
async function stateKnown({ state, signal }: BootUsersParts): Promise<void> {
  while (state.credentialsRefusal() !== null) await pause(signal);
}

/** Whether the first users of this node have become those of the cluster: other nodes bring theirs at the same time. */
async function seedUsers(
  parts: BootUsersParts,
  fileUsers: readonly AclFileUser[] | null,
): Promise<boolean> {
  const lines = await firstLines(parts, fileUsers);
  if (lines === null) return false;
  for (;;) {
    parts.signal.throwIfAborted();
    const outcome = await propose(parts.state, lines);
    if (outcome.ok) return outcome.count > 0;
    if (/^(?:ERR|NOPERM) /.test(outcome.errorText)) {
      const why = outcome.errorText.replace(/^\w+ /, "");
      throw new AccessError("USERS_NOT_SEEDED", `${sourceOf(parts, fileUsers)}: ${why}`);
    }
    parts.logger.info({ reason: outcome.errorText }, "the first users wait for the cluster");
    await pause(parts.signal);
  }
}

function propose(state: AccessState, lines: readonly string[]): Promise<UsersOutcome> {
  return new Promise((resolve) => {
    state.propose({ kind: "seed", lines }, null, resolve);
  });
}

/** What a new cluster begins with, null when this node brings nothing. The file says more than `requirepass` and so wins. */
async function firstLines(
  parts: BootUsersParts,
  fileUsers: readonly AclFileUser[] | null,
): Promise<readonly string[] | null> {
  const { requirepass, file } = parts;
  if (fileUsers !== null) {
    checkContradiction(parts, fileUsers);
    return file.hashed(fileUsers);
  }
  if (requirepass === "") return null;
  const rules = [...DEFAULT_USER_RULES, ...requirepassRules(requirepass)];
  const prepared = await prepareRules(rules, undefined, parts.passwords);
  if (prepared.ok) return [formatUserLine("default", prepared.rules)];
  const why = prepared.errorText.replace(/^ERR /, "");
  throw new AccessError("USERS_NOT_SEEDED", `requirepass: ${why}`);
}

/** Whoever sets a password does not want everybody let in: which of the two is meant has to be said. */
function checkContradiction(
  { requirepass, file, logger }: BootUsersParts,
  users: readonly AclFileUser[],
): void {
  if (requirepass === "") return;
  const defaultUser = users.find(({ name }) => name === "default");
  const isOpen = defaultUser?.rules.findLast((rule) =>
    /^(?:nopass|resetpass|reset|#.*)$/i.test(rule),
  );
  if (isOpen?.toLowerCase() === "nopass") {
    throw new AccessError(
      "ACL_FILE_REFUSED",
      `${file.path}:${defaultUser?.lineNumber}: the default user needs no password here (nopass), but requirepass is set; ` +
        "take one of the two away",
    );
  }
  logger.warn(
    { file: file.path },
    "requirepass is not used: the ACL file says who the default user is",
  );
}

function sourceOf(parts: BootUsersParts, fileUsers: readonly AclFileUser[] | null): string {
  return fileUsers === null ? "requirepass" : parts.file.path;
}

function pause(signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, RETRY_DELAY_MS);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}
