/** What the configuration of this node says of users, compared with the users of the living cluster, which overrule it. */
import {
  createUserTable,
  fastDigest,
  formatStoredPassword,
  formatUserLine,
  prepareRules,
  type AclFileUser,
  type CommandCatalogue,
  type PasswordWork,
  type User,
  type UserTable,
} from "@ferrite/acl";
import type { AccessState } from "../replica/access-state.ts";
import type { ServerLogger } from "../server/logger.ts";
import { HashingUnavailable } from "./password-work.ts";

/** Names that one warning lists of each kind. */
const NAMES_TOLD_MAX = 10;
/** Stands for a password that the cluster's user does not have. */
const UNKNOWN_PASSWORD: string = formatStoredPassword({
  salt: new Uint8Array(8),
  iterations: 1,
  hash: new Uint8Array(32),
});

export interface ComparisonParts {
  readonly state: AccessState;
  readonly catalogue: CommandCatalogue;
  readonly passwords: PasswordWork;
  readonly requirepass: string;
  readonly logger: ServerLogger;
  /** Null when there is no ACL file. */
  readonly fileUsers: readonly AclFileUser[] | null;
}

export interface UserDifferences {
  readonly different: readonly string[];
  readonly onlyInFile: readonly string[];
  readonly onlyInCluster: readonly string[];
}

/** Warns of what differs: names, no rules and no passwords. Never rejects. */
export async function reportDifferences(parts: ComparisonParts): Promise<void> {
  const { logger, fileUsers, requirepass } = parts;
  try {
    if (fileUsers !== null) {
      const differences = await compareUsers(parts, fileUsers);
      if (Object.values(differences).some((names: readonly string[]) => names.length > 0)) {
        logger.warn(
          told(differences),
          "the ACL file differs from the users of the cluster, which count: ACL LOAD takes the file over, " +
            "ACL SAVE writes the file anew",
        );
      }
    }
    if (requirepass !== "" && !(await isPasswordOfDefault(parts))) {
      logger.warn(
        {},
        "requirepass differs from the default user's password in the cluster, which counts: " +
          "CONFIG SET requirepass changes it",
      );
    }
  } catch (error) {
    // The node stops, or is too busy with logins: the comparison is made again at the next start.
    if (error instanceof HashingUnavailable) return;
    logger.error({ err: error }, "comparing the ACL file with the users of the cluster failed");
  }
}

async function compareUsers(
  parts: ComparisonParts,
  fileUsers: readonly AclFileUser[],
): Promise<UserDifferences> {
  const users = parts.state.users();
  const inFile = await usersOfFile(parts, users, fileUsers);
  const names = new Set([...inFile.keys(), ...users.all().map(({ name }) => name)]);
  const different: string[] = [];
  const onlyInFile: string[] = [];
  const onlyInCluster: string[] = [];
  for (const name of names) {
    const [theirs, ours] = [inFile.get(name), users.get(name)];
    if (ours === undefined) onlyInFile.push(name);
    else if (theirs === undefined) onlyInCluster.push(name);
    else if (theirs.describe() !== ours.describe()) different.push(name);
  }
  return { different, onlyInFile, onlyInCluster };
}

/** As a table of their own would hold them, so that two ways to write the same rules are equal. */
async function usersOfFile(
  { catalogue, passwords }: ComparisonParts,
  users: UserTable,
  fileUsers: readonly AclFileUser[],
): Promise<ReadonlyMap<string, User>> {
  const lines: string[] = [];
  for (const { name, rules } of fileUsers) {
    const work = findingWork(passwords, users.get(name)?.passwords ?? []);
    const prepared = await prepareRules(rules, undefined, work);
    if (prepared.ok) lines.push(formatUserLine(name, prepared.rules));
  }
  const scratch = createUserTable(catalogue);
  scratch.replaceAll(lines, passwords.nowMs());
  return new Map(scratch.all().map((user) => [user.name, user]));
}

/** Instead of hashing anew, with a salt that can not be compared, it looks for the password among those that are stored. */
function findingWork(passwords: PasswordWork, stored: readonly string[]): PasswordWork {
  return {
    nowMs: () => passwords.nowMs(),
    verify: (digest, form) => passwords.verify(digest, form),
    hash: async (digest) => {
      for (const form of stored) {
        if (await passwords.verify(Buffer.from(digest), form)) return form;
      }
      return UNKNOWN_PASSWORD;
    },
  };
}

async function isPasswordOfDefault({
  state,
  passwords,
  requirepass,
}: ComparisonParts): Promise<boolean> {
  const defaultUser = state.users().get("default");
  for (const form of defaultUser?.passwords ?? []) {
    if (await passwords.verify(fastDigest(Buffer.from(requirepass, "utf8")), form)) return true;
  }
  return false;
}

/** Names are byte strings; the log shows them as text, and not too many. */
function told(differences: UserDifferences): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(differences).map(([kind, names]: [string, readonly string[]]) => {
      const shown = names
        .slice(0, NAMES_TOLD_MAX)
        .map((name) => Buffer.from(name, "latin1").toString("utf8"));
      const rest = names.length - shown.length;
      return [kind, rest > 0 ? [...shown, `and ${rest} more`] : shown];
    }),
  );
}
