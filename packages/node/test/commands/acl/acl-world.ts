/** The ACL commands over a real user table, with everything around it made up: requests in, raw replies out. */
import {
  createUserTable,
  explainAccess,
  fastDigest,
  formatStoredPassword,
  Verdict,
  type User,
  type UserTable,
} from "@ferrite/acl";
import { AclLog } from "../../../src/access/acl-log.ts";
import type { AccessJudgement, AccessView } from "../../../src/access/access-view.ts";
import { AccessRequestFiller, newAccessRequest } from "../../../src/access/request-filler.ts";
import { createCommandTable } from "../../../src/commands/all-commands.ts";
import { commandCatalogue } from "../../../src/commands/catalogue.ts";
import type { UsersOutcome, UsersProposal } from "../../../src/replica/access-state.ts";
import { Argv } from "../../../src/resp/argv.ts";
import { RespReply } from "../../../src/resp/encoder.ts";
import type { ClientView, EdgeContext, ServerView } from "../../../src/server/edge-context.ts";

type FileRead = Awaited<ReturnType<AccessView["file"]["read"]>>;

export class AclWorld {
  readonly table = createCommandTable();
  readonly catalogue = commandCatalogue(this.table);
  readonly users: UserTable = createUserTable(this.catalogue);
  readonly log = new AclLog(() => 128);
  readonly client = { id: 7, user: "default" } as unknown as { user: string | null };
  /** In the order they came. */
  readonly proposals: { proposal: UsersProposal; client: ClientView | null }[] = [];
  nowMs = 1_000_000;
  /** What propose answers instead of applying. */
  proposalError: string | null = null;
  saveError: string | null = null;
  saves = 0;
  file: FileRead = { ok: true, lines: [] };
  judgement: AccessJudgement = { kind: "judged", verdict: Verdict.Allowed, denied: null };
  /** What was judged last. */
  judged: { user: User; words: readonly string[] } | null = null;
  /** Whether a deferred answer waits for `resume`. */
  isWaiting = false;
  #leave: (() => void) | null = null;
  /** The key or channel that `explain` names as denied. */
  denied: string | null = null;
  readonly #reply = new RespReply();
  readonly #filler = new AccessRequestFiller(this.catalogue);
  readonly #request = newAccessRequest();

  /** The reply, once it is there. Words are latin1. */
  async ask(words: readonly string[], protocol: 2 | 3 = 2): Promise<string> {
    this.begin(words, protocol);
    for (let turn = 0; this.isWaiting && turn < 20; turn++) await Promise.resolve();
    if (this.isWaiting) throw new Error("no answer came");
    return this.taken();
  }

  /** Runs a request; its arguments are overwritten as soon as it has returned, as those of a connection are. */
  begin(words: readonly string[], protocol: 2 | 3 = 2): void {
    const argv = toArgv(words);
    this.#reply.protocol = protocol;
    const command = this.table.lookup(argv);
    if (command === null) this.#reply.error(this.table.refusal(argv));
    else if (command.kind === "edge") command.run(this.#context(argv, command));
    else throw new Error(`${command.name} is no edge command`);
    argv.buffer.fill(0x58);
  }

  taken(): string {
    return this.#reply.takePending().toString("latin1");
  }

  /** The client leaves while its command waits. */
  leave(): void {
    this.#leave?.();
    this.isWaiting = false;
  }

  #context(argv: Argv, command: EdgeContext["command"]): EdgeContext {
    return {
      argv,
      reply: this.#reply,
      command,
      client: this.client as unknown as ClientView,
      server: {
        access: this.#access(),
        nowMs: () => this.nowMs,
        randomBytes: (count: number) => Buffer.alloc(count, 0xab),
      } as unknown as ServerView,
      defer: (onGone) => {
        this.isWaiting = true;
        this.#leave = onGone;
        return {
          resume: () => {
            this.isWaiting = false;
          },
        };
      },
    };
  }

  #access(): AccessView {
    return {
      users: () => this.users,
      catalogue: this.catalogue,
      log: this.log,
      file: {
        save: () => {
          this.saves++;
          return Promise.resolve(this.saveError);
        },
        read: () => Promise.resolve(this.file),
      },
      prepareRules: (rules) => Promise.resolve(prepared(rules)),
      propose: (proposal, client, done) => {
        this.proposals.push({ proposal, client });
        queueMicrotask(() => done(this.#apply(proposal)));
      },
      judge: (user, words) => {
        this.judged = { user, words: words.map((word) => word.toString("latin1")) };
        return this.judgement;
      },
      explain: (user, words) => {
        const argv = toArgv(words.map((word) => word.toString("latin1")));
        const command = this.table.resolve(argv);
        if (command === null) return { kind: "notACommand", errorText: "ERR no such command" };
        this.#filler.fill(command, argv, this.#request);
        const explanation = explainAccess(user, this.#request);
        return { kind: "explained", explanation, denied: this.denied };
      },
    } satisfies Partial<AccessView> as unknown as AccessView;
  }

  #apply(proposal: UsersProposal): UsersOutcome {
    if (this.proposalError !== null) return { ok: false, errorText: this.proposalError };
    const outcome = applied(this.users, proposal, this.nowMs);
    return outcome.ok ? { ok: true, index: 1, count: outcome.count } : outcome;
  }
}

function applied(
  users: UserTable,
  proposal: UsersProposal,
  nowMs: number,
): ReturnType<UserTable["setUser"]> {
  if (proposal.kind === "set") return users.setUser(proposal.name, proposal.rules, nowMs);
  if (proposal.kind === "delete") return users.deleteUsers(proposal.names);
  if (proposal.kind === "replace") return users.replaceAll(proposal.lines, nowMs);
  if (proposal.kind === "policy") return users.setCommandPolicy(proposal);
  return users.seed(proposal.lines, nowMs);
}

/** Passwords in a stored form; the password `busy` is refused as the hashing worker refuses when it is busy. */
function prepared(rules: readonly string[]): Awaited<ReturnType<AccessView["prepareRules"]>> {
  if (rules.includes(">busy")) return { ok: false, errorText: "ERR too busy" };
  return {
    ok: true,
    rules: rules.map((rule) => (rule.startsWith(">") ? `#${storedForm(rule.slice(1))}` : rule)),
  };
}

/** Cheap, and of the same form as the real one. */
export function storedForm(password: string): string {
  const hash = fastDigest(Buffer.from(password, "latin1"));
  return formatStoredPassword({ salt: Buffer.alloc(8, 1), iterations: 1, hash });
}

function toArgv(words: readonly string[]): Argv {
  const argv = new Argv();
  argv.reset(Buffer.from(words.join(""), "latin1"));
  let at = 0;
  for (const word of words) argv.push(at, (at += word.length));
  return argv;
}

/** With users that ACL SETUSER made: a name and its rules each. */
export async function worldWith(...requests: readonly (readonly string[])[]): Promise<AclWorld> {
  const world = new AclWorld();
  for (const request of requests) {
    const reply = await world.ask(["ACL", "SETUSER", ...request]);
    if (reply !== "+OK\r\n") throw new Error(reply);
  }
  return world;
}
