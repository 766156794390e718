/** What the sub-commands of FERRITE.MEMBER that change something have in common. */
import type { OperatorMemberWrite } from "../../members/member-writes.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { answerLater } from "../acl/answer-later.ts";
import { NOT_AN_INTEGER, SYNTAX_ERROR } from "../error-texts.ts";
import { parseSmallInteger } from "../integer.ts";
import { replyChange } from "./member-reply.ts";

/** How long the leader is given to take or refuse a change; afterwards it is told as it is then. */
const ACCEPT_WITHIN_MS = 10_000;
const WAIT_MAX_MS = 86_400_000;

const NAME: RegExp = /^[\x21-\x7e]{1,253}$/;
export const NOT_A_NAME = "ERR the name is not 1 to 253 printable characters";
const USER_GONE = "NOPERM your user was deleted; nothing was changed";

/** Words behind the member's name: each option at most once, with as many words as it has. */
export interface MemberOptions {
  /** Upper case; whether a value follows it. */
  readonly known: Readonly<Record<string, "flag" | "value">>;
  readonly startAt: number;
}

/** As names of nodes are in certificates. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** The member's name; null after an error was replied. */
export function readName({ argv, reply }: EdgeContext, at: number): string | null {
  const name = argv.latin1(at);
  if (isName(name)) return name;
  reply.error(NOT_A_NAME);
  return null;
}

/** Null after an error was replied. Values of options by their name; flags have an empty one. */
export function readOptions(
  { argv, reply }: EdgeContext,
  { known, startAt }: MemberOptions,
): ReadonlyMap<string, string> | null {
  const found = new Map<string, string>();
  for (let at = startAt; at < argv.count; at++) {
    const name = Object.keys(known).find((option) => argv.isWord(at, option));
    const takesValue = name !== undefined && known[name] === "value";
    if (name === undefined || found.has(name) || (takesValue && at + 1 >= argv.count)) {
      reply.error(SYNTAX_ERROR);
      return null;
    }
    if (takesValue) at++;
    found.set(name, takesValue ? argv.latin1(at) : "");
  }
  return found;
}

/** Milliseconds of the WAIT option, 0 without one; null after an error was replied. */
export function readWait(
  { reply }: EdgeContext,
  options: ReadonlyMap<string, string>,
): number | null {
  const text = Buffer.from(options.get("WAIT") ?? "0", "latin1");
  const waitMs = parseSmallInteger(text, 0, text.length);
  if (waitMs >= 0 && waitMs <= WAIT_MAX_MS) return waitMs;
  reply.error(NOT_AN_INTEGER);
  return null;
}

/**
 * Asks for a change and replies with it: once it is accepted, or with `waitMs` once it is over or the time is up; a refusal
 * is an error. What the change is like then is in its phase.
 */
export function askChange(context: EdgeContext, write: OperatorMemberWrite, waitMs: number): void {
  const { membership } = context.server.replica;
  propose(context, write, (answer, changeId) => {
    const until = waitMs > 0 ? "over" : "accepted";
    const timeoutMs = waitMs > 0 ? waitMs : ACCEPT_WITHIN_MS;
    membership.follow({ changeId, until, timeoutMs }, (change) => {
      answer((reply) => {
        const isRefused = change?.phase === "refused";
        if (isRefused) reply.error(`REFUSED ${change.reason ?? "the leader gives no reason"}`);
        else replyChange(reply, change);
      });
    });
  });
}

/** REMOVE, PROMOTE and DEMOTE: a name, and how long to wait. */
export function askAboutMember(context: EdgeContext, kind: "remove" | "promote" | "demote"): void {
  const name = readName(context, 2);
  if (name === null) return;
  const options = readOptions(context, { known: { WAIT: "value" }, startAt: 3 });
  if (options === null) return;
  const waitMs = readWait(context, options);
  if (waitMs === null) return;
  askChange(
    context,
    { write: "change", kind, name, newcomer: null, address: null, asLearner: false },
    waitMs,
  );
}

/** Writes and hands over to `then` when it is applied here; an error is replied. */
export function propose(
  context: EdgeContext,
  write: OperatorMemberWrite,
  then: (answer: ReturnType<typeof answerLater>, changeId: number) => void,
): void {
  const { server, client, reply } = context;
  const blocked = server.audit.refusal();
  if (blocked !== null) return reply.error(blocked);
  const user = client.user === null ? undefined : server.access.users().get(client.user);
  if (user === undefined) return reply.error(USER_GONE);
  const answer = answerLater(context);
  server.replica.membership.propose(write, user.id, (outcome) => {
    if (outcome.ok) then(answer, outcome.changeId);
    else answer((later) => later.error(outcome.errorText));
  });
}
