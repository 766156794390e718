/** Who is a member, who asks to be one, and whose disk was one: the three lists of the replicated membership. */
import type { NodeId } from "@ferrite/raft";
import { JOINERS_MAX, JOINER_KEPT_MS, REMOVED_MEMBERS_MAX } from "./limits.ts";
import type { MemberRecord } from "./member-record.ts";
import type { Joiner, MembersSnapshot, Seat } from "./member-schema.ts";

export class Seats {
  readonly #seats: Map<NodeId, Seat> = new Map();
  readonly #joiners: Map<NodeId, Joiner> = new Map();
  /** Oldest first; its name for people. */
  readonly #removed: Map<NodeId, string> = new Map();

  get(id: NodeId): Seat | undefined {
    return this.#seats.get(id);
  }

  get size(): number {
    return this.#seats.size;
  }

  /** Founders first, then as they came; by name where several came at once. */
  all(): Seat[] {
    return [...this.#seats.values()].sort(
      (left, right) => left.since - right.since || (left.record.name < right.record.name ? -1 : 1),
    );
  }

  /** The newest disk of that name. */
  named(name: string): Seat | undefined {
    return this.all().findLast(({ record }) => record.name === name);
  }

  put(seat: Seat): void {
    this.#seats.set(seat.record.id, seat);
  }

  /** Changes what the record of a member says; never who it is. */
  amend(id: NodeId, facts: Partial<Omit<MemberRecord, "id" | "name">>): void {
    const seat = this.#seats.get(id);
    if (seat !== undefined) this.put({ ...seat, record: { ...seat.record, ...facts } });
  }

  markLeaving(id: NodeId): void {
    const seat = this.#seats.get(id);
    if (seat !== undefined) this.put({ ...seat, isLeaving: true });
  }

  /** The disk is a member no more, and never again. Returns whom there is no room to remember any more. */
  remove(id: NodeId): NodeId[] {
    const seat = this.#seats.get(id);
    this.#seats.delete(id);
    this.#removed.set(id, seat?.record.name ?? id);
    const forgotten: NodeId[] = [];
    for (const oldest of this.#removed.keys()) {
      if (this.#removed.size <= REMOVED_MEMBERS_MAX) break;
      this.#removed.delete(oldest);
      forgotten.push(oldest);
    }
    return forgotten;
  }

  isRemoved(id: NodeId): boolean {
    return this.#removed.has(id);
  }

  removedIds(): NodeId[] {
    return [...this.#removed.keys()];
  }

  // ---- Who asks ---------------------------------------------------------------------------------------------

  joiner(id: NodeId): Joiner | undefined {
    return this.#joiners.get(id);
  }

  /** As they came. */
  joiners(): Joiner[] {
    return [...this.#joiners.values()];
  }

  /** Returns the error, or null. One of a name, and no more than there is room for; who was silent for long gives way. */
  ask(joiner: Joiner): string | null {
    const { id, name } = joiner.record;
    for (const [other, { record, sinceMs }] of this.#joiners) {
      const isOld = joiner.sinceMs - sinceMs >= JOINER_KEPT_MS;
      if (isOld || other === id) this.#joiners.delete(other);
      else if (record.name === name) {
        return `ERR another new node of the name ${name} (${other}) asks to join already`;
      }
    }
    if (this.#joiners.size >= JOINERS_MAX) {
      return `ERR ${JOINERS_MAX} nodes ask to join already; try again later`;
    }
    this.#joiners.set(id, joiner);
    return null;
  }

  /** It asks no more: it has joined, or was turned away. */
  answered(id: NodeId): void {
    this.#joiners.delete(id);
  }

  // ---- Snapshots --------------------------------------------------------------------------------------------

  record(): Pick<MembersSnapshot, "seats" | "joiners" | "removed"> {
    return { seats: this.all(), joiners: this.joiners(), removed: [...this.#removed] };
  }

  restore(from: Pick<MembersSnapshot, "seats" | "joiners" | "removed">): void {
    this.#seats.clear();
    this.#joiners.clear();
    this.#removed.clear();
    for (const seat of from.seats) this.put(seat);
    for (const joiner of from.joiners) this.#joiners.set(joiner.record.id, joiner);
    for (const [id, name] of from.removed) this.#removed.set(id, name);
  }
}
