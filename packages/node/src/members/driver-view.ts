/** What the leader's driver of a change looks at, and what it may do next. */
import type { Configuration, NodeId, PeerProgress, RaftStatus } from "@ferrite/raft";
import type { LeaderMemberWrite } from "./member-writes.ts";
import type { MembersTable } from "./members-table.ts";

export type DriverStep =
  /** An entry of the leader's own. */
  | { readonly step: "write"; readonly write: LeaderMemberWrite }
  | { readonly step: "raise"; readonly level: number }
  | { readonly step: "configure"; readonly configuration: Configuration }
  /** Somebody else is to lead, and goes on. */
  | { readonly step: "handOver" };

export interface DriverFacts {
  /** As applied. */
  readonly members: MembersTable;
  /** This node leads; its configuration is the one in force. */
  readonly status: RaftStatus;
  /** For periods. */
  readonly monotonicMs: number;
  /** The cluster's time, which entries bear. */
  readonly timeMs: number;
  readonly electionTimeoutMs: number;
  /** The feature level that this version knows. */
  readonly supportedLevel: number;
  connected(id: NodeId): boolean;
  /** The feature level that a node says it supports; null without a link to it. */
  levelOf(id: NodeId): number | null;
}

export class DriverView {
  readonly facts: DriverFacts;

  constructor(facts: DriverFacts) {
    this.facts = facts;
  }

  get members(): MembersTable {
    return this.facts.members;
  }

  get selfId(): NodeId {
    return this.facts.status.id;
  }

  /** In force, committed or not. */
  get configuration(): Configuration {
    return this.facts.status.configuration;
  }

  progressOf(id: NodeId): PeerProgress | undefined {
    return this.facts.status.progress.get(id);
  }

  /** The leader heard of it within the last election timeout. */
  isActive(id: NodeId): boolean {
    return id === this.selfId || this.progressOf(id)?.active === true;
  }

  isConnected(id: NodeId): boolean {
    return id === this.selfId || this.facts.connected(id);
  }

  /** Its process surely runs. */
  isAlive(id: NodeId): boolean {
    return this.isActive(id) && this.isConnected(id);
  }

  /** Nothing was heard of it, on any way. */
  isGone(id: NodeId): boolean {
    return !this.isActive(id) && !this.isConnected(id);
  }

  /**
   * Null when a majority of these voters is in contact with the leader; else the words of a refusal. A link that is gone counts
   * at once: who was heard of a moment ago may have died since, and a configuration can not be taken back.
   */
  quorumLoss(voters: readonly NodeId[]): string | null {
    const inContact = voters.filter((id) => this.isAlive(id)).length;
    const majority = Math.floor(voters.length / 2) + 1;
    if (inContact >= majority) return null;
    return (
      `would lose quorum: of the ${voters.length} voters that there would be ${inContact} are in contact with the leader, ` +
      `and it takes ${majority}`
    );
  }
}
