/**
 * The members, as the cluster agrees on them: a part of the replicated state, equal on all nodes at one log position. Who
 * counts is Raft's configuration; here is who they are, and the one change that is under way.
 *
 *   asked ──▶ waiting ──▶ catchingUp ──▶ changing ──▶ done
 *     │          │            │
 *     └──────────┴────────────┴──▶ refused, cancelled
 *
 * An operator's word begins a change, the leader's entries move it on (member-driver.ts), and the configuration that it is
 * about ends it. A phase says from which one it goes on, so that an entry of a leader that was late changes nothing.
 */
import type { Configuration, NodeId } from "@ferrite/raft";
import type { Member } from "../peers/membership.ts";
import { isLearnerIn, isVoterIn, namedIn } from "./configuration-roles.ts";
import { MembersError } from "./errors.ts";
import { FEATURE_LEVEL_MIN } from "./feature-level.ts";
import { ALARMS_MAX, MEMBERS_MAX, PRIORITY_DEFAULT } from "./limits.ts";
import { underWay, type MemberAlarm, type MemberChange } from "./member-record.ts";
import type { MemberRole } from "./member-record.ts";
import { snapshotSchema, type Joiner, type MembersSnapshot, type Seat } from "./member-schema.ts";
import type {
  AlarmWrite,
  AnnounceWrite,
  AskedChange,
  BegunChange,
  JoinWrite,
  LeaderMemberWrite,
  PhaseStep,
} from "./member-writes.ts";
import { Seats } from "./seats.ts";
import { isFulfilled } from "./wanted-configuration.ts";

/** What an applied configuration did to the membership. */
export interface Departures {
  readonly removed: readonly NodeId[];
  /** Removed so long ago that nothing of them is kept any more. */
  readonly forgotten: readonly NodeId[];
}

export type AskOutcome =
  | { readonly ok: true; readonly changeId: number }
  | { readonly ok: false; readonly errorText: string };

const NOBODY: Departures = { removed: [], forgotten: [] };

export class MembersTable {
  readonly #founders: readonly Member[];
  readonly #seats: Seats = new Seats();
  readonly #alarms: Map<string, MemberAlarm> = new Map();
  #change: MemberChange | null = null;
  #lastChangeId = 0;
  #level = FEATURE_LEVEL_MIN;
  #levelVersion = "";

  constructor(founders: readonly Member[]) {
    this.#founders = founders;
    this.#found();
  }

  // ---- What there is ----------------------------------------------------------------------------------------

  /** The change under way, or the last one. */
  get change(): MemberChange | null {
    return this.#change;
  }

  /** The feature level that the cluster has reached. */
  get level(): number {
    return this.#level;
  }

  /** The version that raised it. */
  get levelVersion(): string {
    return this.#levelVersion;
  }

  get(id: NodeId): Seat | undefined {
    return this.#seats.get(id);
  }

  /** Founders first, then in the order in which they came. */
  all(): readonly Seat[] {
    return this.#seats.all();
  }

  /** The newest disk of that name. */
  named(name: string): Seat | undefined {
    return this.#seats.named(name);
  }

  /** This disk was a member, and is none any more. */
  isRemoved(id: NodeId): boolean {
    return this.#seats.isRemoved(id);
  }

  removedIds(): readonly NodeId[] {
    return this.#seats.removedIds();
  }

  joiners(): readonly Joiner[] {
    return this.#seats.joiners();
  }

  joiner(id: NodeId): Joiner | undefined {
    return this.#seats.joiner(id);
  }

  alarms(): readonly MemberAlarm[] {
    return [...this.#alarms.values()];
  }

  roleOf(id: NodeId, configuration: Configuration): MemberRole {
    if (this.#seats.get(id)?.isLeaving === true) return "leaving";
    if (configuration.voters.includes(id)) return "voter";
    if (configuration.votersOutgoing.includes(id)) {
      return configuration.learnersNext.includes(id) ? "voter" : "leaving";
    }
    return configuration.learners.includes(id) ? "learner" : "joining";
  }

  // ---- What nodes write -------------------------------------------------------------------------------------

  /** A member renews what is known of it (O05). What it may do in the cluster is none of it (R31). */
  announce(origin: NodeId, { record }: AnnounceWrite): string | null {
    const seat = this.#seats.get(origin);
    if (seat === undefined) return "ERR only a member may announce its record";
    if (record.id !== origin || record.name !== seat.record.name) {
      return "ERR a member may announce itself only, under the name it has";
    }
    const { priority: announcedPriority, ...facts } = record;
    // An operator's word holds until the member's own configuration says something new.
    const isNews = announcedPriority !== seat.announcedPriority;
    const priority = isNews ? announcedPriority : seat.record.priority;
    this.#seats.put({ ...seat, announcedPriority, record: { ...facts, priority } });
    return null;
  }

  /** A member hears a node that wants to join. */
  join(origin: NodeId, asked: JoinWrite, timeMs: number): string | null {
    const { record, anybody } = asked;
    const { id, name } = record;
    if (this.#seats.get(origin) === undefined) return "ERR only a member may say who wants to join";
    if (this.#seats.isRemoved(id))
      return `REFUSED the disk ${id} of ${name} was removed from the cluster`;
    if (this.#seats.get(id) !== undefined) return `ERR ${name} (${id}) is a member`;
    if (record.featureLevel < this.#level) {
      return `REFUSED ${name} supports feature level ${record.featureLevel}, the cluster is at ${this.#level}: run ${this.#levelVersion} or later`;
    }
    if (!anybody && !this.isWelcome(name)) {
      return `REFUSED ${name} is not invited: FERRITE.MEMBER ADD ${name}`;
    }
    return this.#seats.ask({ record, anybody, sinceMs: timeMs });
  }

  /** A member's name may come back on a new disk (O07); others are invited. */
  isWelcome(name: string): boolean {
    if (this.#seats.named(name) !== undefined) return true;
    return underWay(this.#change)?.newcomer === name;
  }

  // ---- What operators write ---------------------------------------------------------------------------------

  /** Takes a change, or says why not. Whether the cluster can afford it the leader says later. */
  ask(asked: AskedChange, configuration: Configuration, timeMs: number): AskOutcome {
    const current = underWay(this.#change);
    if (current !== null) return refuse(`change in progress: ${describeChange(current)}`);
    const seat = this.#seats.named(asked.name);
    if (asked.kind === "add") {
      if (seat !== undefined) return refuse(`name taken: ${asked.name} is a member`);
      if (this.#seats.size >= MEMBERS_MAX)
        return refuse(`there are ${MEMBERS_MAX} members already`);
      return this.#begin(asked, { target: null, replaces: null, newcomer: asked.name }, timeMs);
    }
    if (seat === undefined) return refuse(`unknown member: ${asked.name}`);
    const { id } = seat.record;
    if (seat.isLeaving) return refuse(`${asked.name} is leaving already`);
    switch (asked.kind) {
      case "replace":
        return this.#askReplace(asked, id, configuration, timeMs);
      case "promote":
        if (isVoterIn(configuration, id)) return refuse(`${asked.name} is a voter already`);
        if (!isLearnerIn(configuration, id))
          return refuse(`not caught up: ${asked.name} is joining`);
        break;
      case "demote":
        if (!isVoterIn(configuration, id)) return refuse(`${asked.name} is a learner already`);
        if (isLastVoter(configuration, id)) return refuse(`${asked.name} is the last voter`);
        break;
      default:
        if (isLastVoter(configuration, id)) return refuse(`${asked.name} is the last voter`);
    }
    return this.#begin(asked, { target: id, replaces: null, newcomer: null }, timeMs);
  }

  #askReplace(
    asked: AskedChange,
    id: NodeId,
    configuration: Configuration,
    timeMs: number,
  ): AskOutcome {
    const newcomer = asked.newcomer ?? asked.name;
    const other = newcomer === asked.name ? undefined : this.#seats.named(newcomer);
    if (other !== undefined && !isLearnerIn(configuration, other.record.id)) {
      return refuse(`name taken: ${newcomer} is a voter and can not take the place of another`);
    }
    if (other === undefined && this.#seats.size >= MEMBERS_MAX) {
      return refuse(`there are ${MEMBERS_MAX} members already`);
    }
    return this.#begin(asked, { target: other?.record.id ?? null, replaces: id, newcomer }, timeMs);
  }

  #begin(
    asked: AskedChange,
    about: Pick<MemberChange, "target" | "replaces" | "newcomer">,
    timeMs: number,
  ): AskOutcome {
    const { kind, name, asLearner, address } = asked;
    this.#lastChangeId++;
    this.#change = {
      id: this.#lastChangeId,
      kind,
      name,
      ...about,
      asLearner,
      address,
      phase: "asked",
      reason: null,
      startedMs: timeMs,
    };
    return { ok: true, changeId: this.#lastChangeId };
  }

  /** Ends the change under way, as long as no configuration for it may be on its way that ends it otherwise. */
  cancel(): AskOutcome {
    const change = underWay(this.#change);
    if (change === null) return refuse("no change is under way");
    if (change.phase === "changing") {
      return refuse(`${describeChange(change)} is being made and can not be cancelled any more`);
    }
    this.#end(change, "cancelled", "an operator cancelled it");
    return { ok: true, changeId: change.id };
  }

  prioritize(name: string, priority: number): string | null {
    const seat = this.#seats.named(name);
    if (seat === undefined) return `REFUSED unknown member: ${name}`;
    this.#seats.amend(seat.record.id, { priority });
    return null;
  }

  // ---- What the leader writes -------------------------------------------------------------------------------

  /** What is late, or of no use any more, changes nothing. Returns whose seat was given up, if any. */
  lead(write: LeaderMemberWrite, configuration: Configuration, timeMs: number): Departures {
    switch (write.write) {
      case "begin":
        this.#beginByLeader(write, timeMs);
        return NOBODY;
      case "phase":
        this.#moveOn(write);
        return NOBODY;
      case "drop":
        return this.#drop(write.id, configuration);
      default:
        this.#alarm(write, timeMs);
        return NOBODY;
    }
  }

  #beginByLeader(begun: BegunChange, timeMs: number): void {
    const joiner = this.#seats.joiner(begun.target);
    if (underWay(this.#change) !== null || joiner === undefined) return;
    const { write: _write, ...about } = begun;
    this.#lastChangeId++;
    this.#change = {
      id: this.#lastChangeId,
      ...about,
      asLearner: false,
      newcomer: joiner.record.name,
      address: null,
      startedMs: timeMs,
    };
    this.#seats.answered(begun.target);
    if (underWay(this.#change) !== null) this.#seat(joiner, this.#lastChangeId);
  }

  #moveOn(step: PhaseStep): void {
    const change = underWay(this.#change);
    if (change === null || change.id !== step.changeId || change.phase !== step.from) return;
    if (step.to === "refused" || step.to === "cancelled") {
      this.#end(change, step.to, step.reason);
      return;
    }
    const target = step.target ?? change.target;
    if (target !== null && this.#seats.get(target) === undefined) {
      const joiner = this.#seats.joiner(target);
      if (joiner === undefined || this.#seats.size >= 2 * MEMBERS_MAX) return;
      if (change.target !== null) this.#seats.markLeaving(change.target);
      this.#seats.answered(target);
      this.#seat(joiner, change.id);
    }
    this.#change = { ...change, target, phase: step.to, reason: step.reason };
  }

  #seat({ record }: Joiner, since: number): void {
    this.#seats.put({ record, announcedPriority: record.priority, since, isLeaving: false });
  }

  #drop(id: NodeId, configuration: Configuration): Departures {
    this.#seats.answered(id);
    const seat = this.#seats.get(id);
    if (seat?.isLeaving !== true || namedIn(configuration).has(id)) return NOBODY;
    return this.#remove([id]);
  }

  #alarm(alarm: AlarmWrite, timeMs: number): void {
    const { kind, nodeId, text } = alarm;
    const key = `${kind} ${nodeId}`;
    const known = this.#alarms.get(key);
    this.#alarms.delete(key);
    if (text === null || this.#alarms.size >= ALARMS_MAX) return;
    this.#alarms.set(key, { kind, nodeId, text, sinceMs: known?.sinceMs ?? timeMs });
  }

  /** All members support the level. Never goes back. */
  raise(level: number, version: string): void {
    if (level <= this.#level) return;
    this.#level = level;
    this.#levelVersion = version;
  }

  // ---- What configurations do -------------------------------------------------------------------------------

  /** A configuration entry was applied: members that it does not name any more are gone, and the change it ends is over. */
  configured(before: Configuration, now: Configuration): Departures {
    const after = namedIn(now);
    const gone = [...namedIn(before)].filter((id) => !after.has(id));
    const change = underWay(this.#change);
    const isDone = change !== null && isFulfilled(change, now);
    if (isDone) this.#change = { ...change, phase: "done", reason: null };
    // Who never came as far as a configuration goes with the change that replaced it.
    if (isDone && change.replaces !== null && !gone.includes(change.replaces))
      gone.push(change.replaces);
    return gone.length === 0 ? NOBODY : this.#remove(gone);
  }

  #remove(ids: readonly NodeId[]): Departures {
    const forgotten: NodeId[] = [];
    for (const id of ids) {
      forgotten.push(...this.#seats.remove(id));
      for (const [key, { nodeId }] of this.#alarms) {
        if (nodeId === id) this.#alarms.delete(key);
      }
    }
    return { removed: ids, forgotten };
  }

  /** Who came with a change that does not come to its end goes again. */
  #end(change: MemberChange, phase: "refused" | "cancelled", reason: string | null): void {
    const { target } = change;
    if (target !== null && this.#seats.get(target)?.since === change.id) {
      this.#seats.markLeaving(target);
    }
    this.#change = { ...change, phase, reason };
  }

  // ---- Snapshots --------------------------------------------------------------------------------------------

  record(): MembersSnapshot {
    return {
      ...this.#seats.record(),
      change: this.#change,
      lastChangeId: this.#lastChangeId,
      level: this.#level,
      levelVersion: this.#levelVersion,
      alarms: this.alarms(),
    };
  }

  /**
   * Takes over the membership of a snapshot; `undefined` is what versions wrote that had none: the founders then.
   * @throws MembersError BAD_MEMBERS when it can not be read
   */
  restore(value: unknown): void {
    this.#alarms.clear();
    if (value === undefined) return this.#found();
    const parsed = snapshotSchema.safeParse(value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const place = issue.path.join(".");
      throw new MembersError("BAD_MEMBERS", `${place}: ${issue.message}`, { cause: parsed.error });
    }
    const { alarms, change, lastChangeId, level, levelVersion } = parsed.data;
    this.#seats.restore(parsed.data);
    for (const alarm of alarms) this.#alarms.set(`${alarm.kind} ${alarm.nodeId}`, alarm);
    this.#change = change;
    this.#lastChangeId = lastChangeId;
    this.#level = level;
    this.#levelVersion = levelVersion;
  }

  #found(): void {
    const seats = this.#founders.map((member): Seat => ({
      record: {
        ...member,
        tlsAddress: null,
        priority: PRIORITY_DEFAULT,
        featureLevel: FEATURE_LEVEL_MIN,
        version: "",
      },
      announcedPriority: PRIORITY_DEFAULT,
      since: 0,
      isLeaving: false,
    }));
    this.#seats.restore({ seats, joiners: [], removed: [] });
    this.#change = null;
    this.#lastChangeId = 0;
    this.#level = FEATURE_LEVEL_MIN;
    this.#levelVersion = "";
  }
}

/** For people: "replace n3". */
export function describeChange({ kind, name, phase }: MemberChange): string {
  return `${kind} ${name} (${phase})`;
}

function isLastVoter({ voters }: Configuration, id: NodeId): boolean {
  return voters.length === 1 && voters[0] === id;
}

function refuse(reason: string): AskOutcome {
  return { ok: false, errorText: `REFUSED ${reason}` };
}
