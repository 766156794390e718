/**
 * Carries the replicated membership to the rest of the node and back: tells the links whom they are for, writes down who
 * wants to join, announces this node when what is known of it is old, and ends it when its disk was removed.
 *
 *   table ──▶ links.setMembers         hello of a stranger ──▶ member.join
 *   own record differs ──▶ announce    removed ──▶ the node stops
 */
import type { NodeId } from "@ferrite/raft";
import { MEMBER_WRITES_LEVEL } from "./feature-level.ts";
import { JoinRequests } from "./join-requests.ts";
import { underWay, type MemberChange, type MemberRecord } from "./member-record.ts";
import { PRIORITY_DEFAULT } from "./limits.ts";
import type { Member } from "../peers/membership.ts";
import type { JoinRequest, LinkedMembers, MemberLinks } from "./membership-ports.ts";
import type { MembersTable } from "./members-table.ts";
import type { ReplicatedMembers } from "./replicated-members.ts";

/** An announcement that did not come through is tried again after this. */
const ANNOUNCE_RETRY_MS = 1000;

const REMOVED_TEXT =
  "This node's disk was removed from its cluster, or replaced by another. To come back it needs an empty data directory " +
  "(dir), and an invitation (FERRITE.MEMBER ADD) unless its name is that of a member still";

export interface MembershipServicePorts {
  readonly nodeId: NodeId;
  readonly members: ReplicatedMembers;
  readonly links: MemberLinks;
  monotonicMs(): number;
  /** This node as it is at this start; its priority is that of its configuration. */
  self(): MemberRecord;
  /** member-join is "auto". */
  joinsAnybody(): boolean;
  leads(): boolean;
  /** What this node has applied is as new as what it has shown before. */
  isCaughtUp(): boolean;
  /** A change is over; not told of those that were over before this node was started. */
  changeEnded(change: MemberChange): void;
  /** This node's disk is no member any more: it has to stop. Called once. */
  removed(text: string): void;
}

export class MembershipService {
  readonly #ports: MembershipServicePorts;
  readonly #requests: JoinRequests;
  /** What the links were told last. */
  #told = "";
  #announcing = false;
  #announceAtMs = -Infinity;
  #toldRemoved = false;
  /** The last change that was told to be over. */
  #endedId: number | null = null;

  constructor(ports: MembershipServicePorts) {
    this.#ports = ports;
    const { members, links } = ports;
    this.#requests = new JoinRequests({
      monotonicMs: () => ports.monotonicMs(),
      table: () => members.table,
      leads: () => ports.leads(),
      joinsAnybody: () => ports.joinsAnybody(),
      isThere: (id) => links.featureLevelOf(id) !== null,
      submit: (request) => this.#submit(request),
    });
  }

  /** From now on the links follow the table. */
  start(): void {
    const { members, links } = this.#ports;
    members.onChanged(() => this.#changed());
    links.onJoinRequest((request) => this.#requests.heard(request));
    links.onRemoved((text) => this.#removed(text));
    this.#changed();
  }

  /** To be called a few times a second. */
  tick(): void {
    // The setting may have changed.
    this.#tellLinks();
    this.#requests.tick();
    this.#announce();
    this.#tellEnd();
  }

  #changed(): void {
    const { members, nodeId } = this.#ports;
    this.#tellLinks();
    this.#tellEnd();
    if (members.table.isRemoved(nodeId)) this.#removed(REMOVED_TEXT);
  }

  #tellLinks(): void {
    const { members, links } = this.#ports;
    const linked = linkedMembers(members.table, this.#ports.joinsAnybody());
    const text = JSON.stringify(linked);
    if (text !== this.#told) {
      this.#told = text;
      links.setMembers(linked);
    }
  }

  #removed(text: string): void {
    if (this.#toldRemoved) return;
    this.#toldRemoved = true;
    this.#ports.removed(text);
  }

  #tellEnd(): void {
    const change = this.#ports.members.table.change;
    if (!this.#ports.isCaughtUp()) return;
    const ended = underWay(change) === null ? change : null;
    const before = this.#endedId;
    this.#endedId = ended?.id ?? before ?? 0;
    if (ended !== null && before !== null && ended.id > before) this.#ports.changeEnded(ended);
  }

  #submit(request: JoinRequest): void {
    const { members } = this.#ports;
    const { id, name, peerAddress, clientAddress, tlsAddress, featureLevel, version } = request;
    const record = { id, name, peerAddress, clientAddress, tlsAddress, featureLevel, version };
    // What is refused or lost comes again: the node knocks as long as it is there.
    members.propose(
      {
        write: "join",
        record: { ...record, priority: PRIORITY_DEFAULT },
        anybody: this.#ports.joinsAnybody(),
      },
      null,
      () => undefined,
    );
  }

  #announce(): void {
    const { members, nodeId } = this.#ports;
    const nowMs = this.#ports.monotonicMs();
    if (this.#announcing || nowMs - this.#announceAtMs < ANNOUNCE_RETRY_MS) return;
    const seat = members.table.get(nodeId);
    if (seat === undefined || members.table.level < MEMBER_WRITES_LEVEL) return;
    if (!this.#ports.isCaughtUp()) return;
    const self = this.#ports.self();
    const { priority: _effective, ...known } = seat.record;
    const { priority, ...facts } = self;
    if (priority === seat.announcedPriority && isEqual(known, facts)) return;
    this.#announcing = true;
    this.#announceAtMs = nowMs;
    members.propose({ write: "announce", record: self }, null, () => {
      this.#announcing = false;
    });
  }
}

/** Whom the links are for. */
function linkedMembers(table: MembersTable, anybody: boolean): LinkedMembers {
  const newest = new Map(table.all().map(({ record }) => [record.name, record]));
  const members = [...newest.values()].map(({ id, name, peerAddress, clientAddress }): Member => ({
    id,
    name,
    peerAddress,
    clientAddress,
  }));
  const invited = underWay(table.change)?.newcomer ?? null;
  const names = new Set([...newest.keys(), ...(invited === null ? [] : [invited])]);
  return {
    members,
    welcome: anybody ? "anybody" : [...names],
    removed: table.removedIds(),
    featureLevel: table.level,
  };
}

function isEqual(
  one: Omit<MemberRecord, "priority">,
  other: Omit<MemberRecord, "priority">,
): boolean {
  return (Object.keys(one) as (keyof typeof one)[]).every((field) => one[field] === other[field]);
}
