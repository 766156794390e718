/** The membership of a test's node: what it says can be set, what it is asked for is kept. */
import type { MemberAlarm, MemberChange } from "../../../src/members/member-record.ts";
import type {
  MemberOutcome,
  MembershipControl,
  MemberStatus,
} from "../../../src/members/membership-ports.ts";
import type { MemberWrite } from "../../../src/members/member-writes.ts";

export class FakeMembership implements MembershipControl {
  members: MemberStatus[] = [];
  lastChange: MemberChange | null = null;
  alarmList: MemberAlarm[] = [];
  level = 1;
  goal: number | null = null;
  /** What was proposed last, and for whom. */
  asked: { readonly write: MemberWrite; readonly actorId: number | null }[] = [];
  /** How a proposal ends. */
  outcome: MemberOutcome = { ok: true, changeId: 1 };
  follows: {
    readonly request: Parameters<MembershipControl["follow"]>[0];
    readonly done: (change: MemberChange | null) => void;
  }[] = [];

  all(): readonly MemberStatus[] {
    return this.members;
  }
  change(): MemberChange | null {
    return this.lastChange;
  }
  featureLevel(): number {
    return this.level;
  }
  alarms(): readonly MemberAlarm[] {
    return this.alarmList;
  }
  goalIndex(): number | null {
    return this.goal;
  }
  propose(
    write: MemberWrite,
    actorId: number | null,
    done: (outcome: MemberOutcome) => void,
  ): void {
    this.asked.push({ write, actorId });
    setImmediate(() => done(this.outcome));
  }
  follow(
    request: Parameters<MembershipControl["follow"]>[0],
    done: (change: MemberChange | null) => void,
  ): () => void {
    this.follows.push({ request, done });
    return () => undefined;
  }
}
