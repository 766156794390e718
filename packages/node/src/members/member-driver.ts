/**
 * The leader's part in a change of the membership: looks at the state of things and says what is to be done next, one step
 * at a time. All that it goes by is in the replicated state, so that the next leader goes on where this one stopped; what it
 * keeps for itself are clocks.
 *
 *   level ─▶ leftovers of a change that was given up ─▶ the change under way ─▶ nodes that ask to join
 */
import { isJoint, type NodeId } from "@ferrite/raft";
import { CatchUp } from "./catch-up.ts";
import { isVoterIn, namedIn } from "./configuration-roles.ts";
import { DriverView, type DriverFacts, type DriverStep } from "./driver-view.ts";
import { MEMBER_WRITES_LEVEL } from "./feature-level.ts";
import {
  ABSENT_JOINER_MS,
  MEMBERS_MAX,
  PROMOTE_LAG_ENTRIES_MAX,
  TRANSFER_ATTEMPTS_MAX,
  WAIT_FOR_JOINER_MS,
} from "./limits.ts";
import { underWay, type ChangePhase, type MemberChange } from "./member-record.ts";
import type { Joiner, Seat } from "./member-schema.ts";
import type { PhaseStep } from "./member-writes.ts";
import {
  becomesVoter,
  isFulfilled,
  stepTowards,
  wantedConfiguration,
  withLearner,
  withoutLearner,
} from "./wanted-configuration.ts";

export class MemberDriver {
  readonly #catchUp: CatchUp = new CatchUp();
  /** Since when the node that joins is out of reach, on the monotonic clock. */
  #absent: { readonly id: NodeId; readonly sinceMs: number } | null = null;
  /** How often leadership was offered to others, for which change. */
  #handOver: { readonly changeId: number; attempts: number } | null = null;

  /** Another term: what was measured before says nothing any more. */
  forget(): void {
    this.#catchUp.forget();
    this.#absent = null;
    this.#handOver = null;
  }

  /** To be asked when everything that was done before is applied here. Null: nothing, for now. */
  next(facts: DriverFacts): DriverStep | null {
    const view = new DriverView(facts);
    // Whoever leads ends a joint configuration by itself (the core), and nothing else goes meanwhile.
    if (isJoint(view.configuration)) return null;
    const raise = raiseLevel(view);
    if (raise !== null || view.members.level < MEMBER_WRITES_LEVEL) return raise;
    const leftover = clearLeftovers(view);
    if (leftover !== null) return leftover;
    const change = underWay(view.members.change);
    if (change !== null) return this.#goOn(view, change);
    this.forget();
    return takeJoiner(view);
  }

  #goOn(view: DriverView, change: MemberChange): DriverStep | null {
    switch (change.phase) {
      case "asked":
        return look(view, change);
      case "waiting":
        return waitForJoiner(view, change);
      case "catchingUp":
        return this.#bringUp(view, change);
      default:
        return this.#bringAbout(view, change);
    }
  }

  #bringUp(view: DriverView, change: MemberChange): DriverStep | null {
    const target = change.target!;
    const { configuration } = view;
    const successor = newerDisk(view, change);
    if (successor !== undefined && view.isGone(target)) {
      return move(change, "catchingUp", { target: successor.record.id });
    }
    if (!namedIn(configuration).has(target)) {
      return { step: "configure", configuration: withLearner(configuration, target) };
    }
    if (this.#isAbsentForLong(view, target)) {
      return move(change, "cancelled", {
        reason: `${target} was out of reach for ${ABSENT_JOINER_MS / 60_000} minutes`,
      });
    }
    if (becomesVoter(change, configuration) && !this.#isCaughtUp(view, target)) return null;
    const { voters } = wantedConfiguration(change, configuration);
    return view.quorumLoss(voters) === null ? move(change, "changing", {}) : null;
  }

  #isCaughtUp(view: DriverView, id: NodeId): boolean {
    const progress = view.progressOf(id);
    if (progress === undefined || !view.isAlive(id)) {
      this.#catchUp.forget();
      return false;
    }
    const { status, electionTimeoutMs, monotonicMs: nowMs } = view.facts;
    const { lastIndex } = status;
    const { matchIndex } = progress;
    return this.#catchUp.isDone({ id, matchIndex }, { lastIndex, electionTimeoutMs, nowMs });
  }

  #isAbsentForLong(view: DriverView, id: NodeId): boolean {
    const nowMs = view.facts.monotonicMs;
    if (!view.isGone(id)) this.#absent = null;
    else if (this.#absent?.id !== id) this.#absent = { id, sinceMs: nowMs };
    return this.#absent !== null && nowMs - this.#absent.sinceMs >= ABSENT_JOINER_MS;
  }

  #bringAbout(view: DriverView, change: MemberChange): DriverStep | null {
    const { configuration } = view;
    // In force already, and about to be applied.
    if (isFulfilled(change, configuration)) return null;
    const wanted = wantedConfiguration(change, configuration);
    // No configuration for it is in this log, and what was in others is dead: it can be given up still.
    const loss = view.quorumLoss(wanted.voters);
    if (loss !== null) return move(change, "refused", { reason: loss });
    const leaves = isVoterIn(configuration, view.selfId) && !wanted.voters.includes(view.selfId);
    if (leaves && view.facts.status.transferTarget !== null) return null;
    if (leaves && this.#mayHandOver(view, change)) return { step: "handOver" };
    return { step: "configure", configuration: stepTowards(configuration, wanted) };
  }

  /** A leader that is to go hands over first, which costs clients less. Where nobody takes it the core steps down at the end. */
  #mayHandOver(view: DriverView, change: MemberChange): boolean {
    if (this.#handOver?.changeId !== change.id) {
      this.#handOver = { changeId: change.id, attempts: 0 };
    }
    if (this.#handOver.attempts >= TRANSFER_ATTEMPTS_MAX) return false;
    const others = view.configuration.voters.filter((id) => id !== view.selfId);
    if (!others.some((id) => view.isActive(id))) return false;
    this.#handOver.attempts++;
    return true;
  }
}

/** Everybody supports a higher level than the cluster is at (O13). Those out of reach can not be asked, and hold it up. */
function raiseLevel(view: DriverView): DriverStep | null {
  let level = view.facts.supportedLevel;
  for (const id of namedIn(view.configuration)) {
    if (id === view.selfId) continue;
    level = Math.min(level, view.facts.levelOf(id) ?? 0);
  }
  return level > view.members.level ? { step: "raise", level } : null;
}

/** Nodes that came with a change that was given up go again. */
function clearLeftovers(view: DriverView): DriverStep | null {
  const leftover = view.members.all().find(({ isLeaving }) => isLeaving);
  if (leftover === undefined) return null;
  const { id } = leftover.record;
  if (!namedIn(view.configuration).has(id)) return { step: "write", write: { write: "drop", id } };
  return { step: "configure", configuration: withoutLearner(view.configuration, id) };
}

/** A change that was asked for: can the cluster afford it? */
function look(view: DriverView, change: MemberChange): DriverStep {
  const { kind, name, target } = change;
  if (kind === "add" || (kind === "replace" && target === null)) return move(change, "waiting", {});
  if (target === null || view.members.get(target) === undefined) {
    return move(change, "refused", { reason: `unknown member: ${name}` });
  }
  if (kind === "replace") return move(change, "catchingUp", {});
  const wanted = wantedConfiguration(change, view.configuration);
  const reason =
    (wanted.voters.length === 0 ? `${name} is the last voter` : null) ??
    (kind === "promote" ? lagOf(view, target) : null) ??
    view.quorumLoss(wanted.voters);
  return reason === null ? move(change, "changing", {}) : move(change, "refused", { reason });
}

/** Why a learner can not become a voter now, or null. */
function lagOf(view: DriverView, id: NodeId): string | null {
  const progress = view.progressOf(id);
  if (progress === undefined || !progress.active) {
    return "not caught up: the leader does not hear of it";
  }
  const lag = view.facts.status.lastIndex - progress.matchIndex;
  if (lag <= PROMOTE_LAG_ENTRIES_MAX) return null;
  return `not caught up: it lacks ${lag} entries, more than ${PROMOTE_LAG_ENTRIES_MAX}`;
}

function waitForJoiner(view: DriverView, change: MemberChange): DriverStep | null {
  const waitedMs = view.facts.timeMs - change.startedMs;
  if (waitedMs >= WAIT_FOR_JOINER_MS) {
    return move(change, "cancelled", {
      reason: `nobody came to join as ${change.newcomer} within ${WAIT_FOR_JOINER_MS / 60_000} minutes`,
    });
  }
  const joiner = view.members.joiners().find(({ record }) => record.name === change.newcomer);
  const reason = joiner === undefined ? null : hindrance(view, change, joiner);
  if (reason !== null) return reason === change.reason ? null : move(change, "waiting", { reason });
  if (joiner === undefined) return null;
  const { replaces, name, newcomer } = change;
  // Its last words may be on their way still.
  if (newcomer === name && replaces !== null && !view.isGone(replaces)) return null;
  return move(change, "catchingUp", { target: joiner.record.id });
}

/** Why this node can not be taken yet, for people; null when it can. */
function hindrance(
  view: DriverView,
  { address, name, newcomer, replaces }: MemberChange,
  { record }: Joiner,
): string | null {
  if (address !== null && record.peerAddress !== address) {
    return `${record.name} asks to join from ${record.peerAddress}, and was invited from ${address}`;
  }
  if (newcomer === name && replaces !== null && view.isAlive(replaces)) {
    return `${name} is to be replaced by a new disk of its name, and runs on its old one still: stop it`;
  }
  return null;
}

/** The node that joins lost its disk meanwhile, and asks again as somebody else. */
function newerDisk(view: DriverView, change: MemberChange): Joiner | undefined {
  const { target, newcomer } = change;
  return view.members
    .joiners()
    .find(({ record }) => record.name === newcomer && record.id !== target);
}

/** Nobody asked for a change: a node that is welcome may begin one. */
function takeJoiner(view: DriverView): DriverStep | null {
  for (const joiner of view.members.joiners()) {
    const step = welcome(view, joiner);
    if (step !== null) return step;
  }
  return null;
}

function welcome(view: DriverView, { record, anybody }: Joiner): DriverStep | null {
  const { id, name } = record;
  const seat = view.members.named(name);
  if (seat !== undefined) return replaceDisk(view, seat, id);
  if (!anybody) return { step: "write", write: { write: "drop", id } };
  const isFull = view.members.all().length >= MEMBERS_MAX;
  return begin({
    kind: "add",
    name,
    target: id,
    replaces: null,
    phase: isFull ? "refused" : "catchingUp",
    reason: isFull ? `there are ${MEMBERS_MAX} members already` : null,
  });
}

/** O07: a member has come back with an empty disk. Its old self, which may have voted, is never mistaken for it. */
function replaceDisk(view: DriverView, seat: Seat, id: NodeId): DriverStep | null {
  const { id: old, name } = seat.record;
  const about = { kind: "replace", name, target: id, replaces: old } as const;
  if (view.isAlive(old)) {
    return begin({
      ...about,
      phase: "refused",
      reason: `another disk (${id}) asks to take the place of ${name}, which is running on its own: two nodes have one name`,
    });
  }
  if (!view.isGone(old) || !namedIn(view.configuration).has(old)) return null;
  return begin({ ...about, phase: "catchingUp", reason: null });
}

function begin(change: {
  readonly kind: MemberChange["kind"];
  readonly name: string;
  readonly target: NodeId;
  readonly replaces: NodeId | null;
  readonly phase: ChangePhase;
  readonly reason: string | null;
}): DriverStep {
  return { step: "write", write: { write: "begin", ...change } };
}

function move(
  change: MemberChange,
  to: ChangePhase,
  { target = null, reason = null }: Partial<Pick<PhaseStep, "target" | "reason">>,
): DriverStep {
  const { id: changeId, phase: from } = change;
  return { step: "write", write: { write: "phase", changeId, from, to, target, reason } };
}
