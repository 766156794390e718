/** AccessView, put together: what commands ask of access control, spread over the parts that know. */
import { explainAccess, prepareRules, Verdict, type PasswordWork } from "@ferrite/acl";
import type { NewCommandsPolicy, User, UserTable } from "@ferrite/acl";
import type { AuditTrail } from "../audit/audit-trail.ts";
import { auditInfo } from "../audit/audit-info.ts";
import { settingChanged, usersChanged, type UsersAction } from "../audit/events.ts";
import { acceptsCount } from "../commands/arity.ts";
import { asCString } from "../commands/refusal.ts";
import type { NumberedCatalogue } from "../commands/catalogue.ts";
import type { CommandTable } from "../commands/table.ts";
import type { AccessState, UsersOutcome, UsersProposal } from "../replica/access-state.ts";
import { USERS_COMMANDS } from "../replica/write-check.ts";
import { Argv } from "../resp/argv.ts";
import type { ServerLogger } from "../server/logger.ts";
import type { ClientView } from "../server/edge-context.ts";
import type { AccessControl } from "./access-control.ts";
import type {
  AccessExplained,
  AccessFacts,
  AccessJudgement,
  AccessView,
  AclFileView,
  AclLogView,
  Login,
} from "./access-view.ts";
import { auditClient } from "./audit-client.ts";
import { denialText } from "./denial.ts";
import type { Logins } from "./login.ts";
import { HashingUnavailable } from "./password-work.ts";

export interface AccessServiceParts {
  readonly state: AccessState;
  readonly table: CommandTable;
  readonly catalogue: NumberedCatalogue;
  readonly guard: AccessControl;
  readonly logins: Logins;
  readonly log: AclLogView;
  readonly file: AclFileView;
  /** Hashes and compares passwords, in the hashing thread. */
  readonly passwords: PasswordWork;
  readonly audit: AuditTrail;
  readonly logger: ServerLogger;
  /** Of security/: how logins end and what waits. */
  readonly loginFacts: () => AccessFacts;
}

export class AccessService implements AccessView {
  readonly catalogue: NumberedCatalogue;
  readonly log: AclLogView;
  readonly file: AclFileView;
  readonly #parts: AccessServiceParts;
  readonly #argv = new Argv();

  constructor(parts: AccessServiceParts) {
    this.#parts = parts;
    this.catalogue = parts.catalogue;
    this.log = parts.log;
    this.file = parts.file;
  }

  users(): UserTable {
    return this.#parts.state.users();
  }

  facts(): AccessFacts {
    const { state, guard, loginFacts, audit } = this.#parts;
    const users = state.users();
    return [
      ["acl_users", users.size],
      ["acl_revision", users.revision],
      ["acl_credentials_honoured", state.credentialsRefusal() === null ? 1 : 0],
      ["acl_access_denied_cmd", guard.counters.deniedCommands],
      ["acl_access_denied_key", guard.counters.deniedKeys],
      ["acl_access_denied_channel", guard.counters.deniedChannels],
      // Valkey's name.
      ["acl_access_denied_tls_cert", guard.counters.deniedCertificates],
      ...loginFacts(),
      ...(audit.log === undefined ? [] : auditInfo(audit.log.status())),
    ];
  }

  logIn(login: Login, client: ClientView): string | null | Promise<string | null> {
    return this.#parts.logins.logIn(login, client);
  }

  async prepareRules(
    rules: readonly string[],
    current: User | undefined,
  ): ReturnType<AccessView["prepareRules"]> {
    try {
      return await prepareRules(rules, current, this.#parts.passwords);
    } catch (error) {
      if (error instanceof HashingUnavailable) return { ok: false, errorText: error.message };
      this.#parts.logger.error({ err: error }, "preparing rules failed: this is a defect");
      return { ok: false, errorText: "ERR internal error; nothing was changed" };
    }
  }

  propose(
    proposal: UsersProposal,
    client: ClientView | null,
    done: (outcome: UsersOutcome) => void,
    command: string = USERS_COMMANDS[proposal.kind],
  ): void {
    const { state, audit } = this.#parts;
    const blocked = audit.refusal();
    if (blocked !== null) return done({ ok: false, errorText: blocked });
    const actor = client === null ? null : this.#actorOf(client);
    const refusal = actor === null ? null : this.#actorRefusal(actor, command);
    if (refusal !== null) return done({ ok: false, errorText: refusal });
    const before = linesOf(proposal, state.users());
    state.propose(proposal, actor?.id ?? null, (outcome) => {
      this.#record(proposal, client, before, outcome);
      done(outcome);
    });
  }

  recordSetting(client: ClientView, change: Parameters<AccessView["recordSetting"]>[1]): void {
    this.#parts.audit.record(settingChanged(auditClient(client), change));
  }

  async setRequirepass(password: string, client: ClientView): Promise<string | null> {
    const user = this.users().get("default");
    const prepared = await this.prepareRules(requirepassRules(password), user);
    if (!prepared.ok) return prepared.errorText;
    const { rules } = prepared;
    return new Promise((resolve) => {
      const done = (outcome: UsersOutcome): void => resolve(outcome.ok ? null : outcome.errorText);
      this.propose({ kind: "set", name: "default", rules }, client, done, "config|set");
    });
  }

  setNewCommandsPolicy(
    policy: NewCommandsPolicy,
    client: ClientView | null,
  ): Promise<string | null> {
    // What is only foreseen is new when it comes.
    const known = this.catalogue.commands
      .flatMap((command) => [command, ...command.subcommands])
      .filter(({ isForeseen }) => isForeseen !== true)
      .map(({ name }) => name);
    return new Promise((resolve) => {
      this.propose({ kind: "policy", policy, known }, client, (outcome) =>
        resolve(outcome.ok ? null : outcome.errorText),
      );
    });
  }

  judge(user: User, words: readonly Buffer[]): AccessJudgement {
    const argv = this.#argv;
    argv.reset(Buffer.concat(words));
    let at = 0;
    for (const word of words) {
      argv.push(at, at + word.length);
      at += word.length;
    }
    const command = this.#parts.table.resolve(argv);
    if (command === null) {
      return {
        kind: "notACommand",
        errorText: `ERR Command '${asCString(words[0].toString("latin1"))}' not found`,
      };
    }
    if (!acceptsCount(command.arity, argv.count)) {
      const errorText = `ERR wrong number of arguments for '${command.name}' command`;
      return { kind: "notACommand", errorText };
    }
    const verdict = this.#parts.guard.verdictOn(user, command, argv);
    return { kind: "judged", verdict, denied: this.#parts.guard.deniedName(verdict, user) };
  }

  explain(user: User, words: readonly Buffer[]): AccessExplained {
    const judgement = this.judge(user, words);
    if (judgement.kind === "notACommand") return judgement;
    const explanation = explainAccess(user, this.#parts.guard.judged);
    return { kind: "explained", explanation, denied: judgement.denied };
  }

  /** Undefined when the client's user is not there any more. */
  #actorOf(client: ClientView): User | undefined {
    return client.user === null ? undefined : this.users().get(client.user);
  }

  /**
   * Hashing and reading files take time, in which the actor may have lost the right that was looked at when its command came
   * (S03). Apply looks again only when the users change after this step.
   */
  #actorRefusal(actor: User | undefined, command: string): string | null {
    if (actor === undefined) return "NOPERM your user was deleted; nothing was changed";
    const entry = this.catalogue.find(command);
    if (actor.isUnrestricted || (entry !== undefined && actor.mayRun(entry.id))) return null;
    return denialText(Verdict.Command, command);
  }

  #record(
    proposal: UsersProposal,
    client: ClientView | null,
    before: ReadonlyMap<string, string>,
    outcome: UsersOutcome,
  ): void {
    const action = ACTIONS[proposal.kind];
    const actor = client === null ? {} : { client: auditClient(client) };
    if (!outcome.ok) {
      this.#parts.audit.record(usersChanged({ action, ...actor, refusal: outcome.errorText }));
      return;
    }
    const position = { index: outcome.index };
    if (proposal.kind === "policy") {
      const set = `acl-new-commands ${proposal.policy}`;
      this.#parts.audit.record(usersChanged({ action, ...actor, position, after: set }));
      return;
    }
    const after = linesOf(proposal, this.users());
    for (const name of new Set([...before.keys(), ...after.keys()])) {
      const was = before.get(name);
      const is = after.get(name);
      if (was === is && proposal.kind !== "set") continue;
      this.#parts.audit.record(
        usersChanged({
          action,
          ...actor,
          position,
          ...(was === undefined ? {} : { before: was }),
          ...(is === undefined ? {} : { after: is }),
        }),
      );
    }
  }
}

/** What Redis makes of requirepass: the one password of the default user, or none needed. */
export function requirepassRules(password: string): readonly string[] {
  const bytes = Buffer.from(password, "utf8").toString("latin1");
  return password === "" ? ["resetpass", "nopass"] : ["resetpass", `>${bytes}`];
}

const ACTIONS: Readonly<Record<UsersProposal["kind"], UsersAction>> = {
  set: "setuser",
  delete: "deluser",
  replace: "load",
  seed: "seed",
  policy: "policy",
};

/** The users that a change is about, as lines by name. */
function linesOf(proposal: UsersProposal, users: UserTable): ReadonlyMap<string, string> {
  const named =
    proposal.kind === "set" ? [proposal.name] : proposal.kind === "delete" ? proposal.names : null;
  const about =
    named === null
      ? users.all()
      : named.flatMap((name) => {
          const user = users.get(name);
          return user === undefined ? [] : [user];
        });
  return new Map(about.map((user) => [user.name, user.describe()]));
}
