/** What the consensus does: who leads, how far the log is, who is connected. */
import type { Registry } from "prom-client";
import { underWay } from "../members/member-record.ts";
import type { ReplicaView } from "../replica/replica-view.ts";
import { followCounter, followGauge, followLabelledGauge } from "./running-counter.ts";

/** What these metrics read of the replica. */
export type RaftMetricsSource = Pick<
  ReplicaView,
  | "role"
  | "term"
  | "leaderId"
  | "commitIndex"
  | "appliedIndex"
  | "lastIndex"
  | "firstIndex"
  | "snapshotIndex"
  | "logBytes"
  | "members"
  | "snapshotInProgress"
  | "snapshotBytesSent"
  | "leaderSilenceMs"
  | "writeRefusal"
  | "disk"
  | "checks"
> & { readonly membership: Pick<ReplicaView["membership"], "change" | "featureLevel"> };

const ROLES = ["follower", "preCandidate", "candidate", "leader", "learner"] as const;

const MEMBER_STATES = ["equal", "different", "unknown"] as const;

export function registerRaftMetrics(registry: Registry, replica: RaftMetricsSource): void {
  registerLeadership(registry, replica);
  registerLog(registry, replica);
  registerMembers(registry, replica);
  registerDisk(registry, replica);
  registerChecks(registry, replica);
}

function registerLeadership(registry: Registry, replica: RaftMetricsSource): void {
  followGauge(registry, { name: "ferrite_raft_term", help: "Current term." }, () => replica.term());
  followLabelledGauge(registry, {
    name: "ferrite_raft_role",
    help: "1 for the role this node has, 0 for the others.",
    label: "role",
    read: () => {
      const current = replica.role();
      return ROLES.map((role) => [role, Number(role === current)] as const);
    },
  });
  followGauge(
    registry,
    { name: "ferrite_raft_has_leader", help: "1 when this node knows a leader." },
    () => replica.leaderId() !== null,
  );
  followGauge(
    registry,
    {
      name: "ferrite_raft_accepts_writes",
      help: "1 when a write through this node would be taken now.",
    },
    () => replica.writeRefusal() === null,
  );
  followGauge(
    registry,
    {
      name: "ferrite_raft_leader_silence_seconds",
      help: "Time since this node last heard its leader; 0 on the leader, +Inf when it never did.",
    },
    () => replica.leaderSilenceMs() / 1000,
  );
}

function registerLog(registry: Registry, replica: RaftMetricsSource): void {
  const indexes: readonly (readonly [string, string, () => number])[] = [
    ["commit", "Highest log position known to be agreed.", () => replica.commitIndex()],
    ["applied", "Highest log position carried out on this node.", () => replica.appliedIndex()],
    ["last", "Last log position on this node.", () => replica.lastIndex()],
    ["first", "First log position that is not only in a snapshot.", () => replica.firstIndex()],
    ["snapshot", "Log position of the newest snapshot.", () => replica.snapshotIndex()],
  ];
  for (const [name, help, read] of indexes) {
    followGauge(registry, { name: `ferrite_raft_${name}_index`, help }, read);
  }
  followGauge(
    registry,
    {
      name: "ferrite_raft_apply_lag_entries",
      help: "Entries agreed and not yet carried out on this node.",
    },
    () => Math.max(0, replica.commitIndex() - replica.appliedIndex()),
  );
  followGauge(registry, { name: "ferrite_raft_log_bytes", help: "Size of the log on disk." }, () =>
    replica.logBytes(),
  );
  followGauge(
    registry,
    { name: "ferrite_raft_snapshot_in_progress", help: "1 while a snapshot is being written." },
    () => replica.snapshotInProgress(),
  );
  followCounter(
    registry,
    {
      name: "ferrite_raft_snapshot_sent_bytes_total",
      help: "Bytes of snapshots that other nodes got from this one.",
    },
    () => replica.snapshotBytesSent(),
  );
}

/** R42, R50, R58 */
function registerDisk(registry: Registry, replica: RaftMetricsSource): void {
  followGauge(
    registry,
    {
      name: "ferrite_disk_stalled_seconds",
      help: "How long the log's disk has not answered, once that counts as a stall; else 0.",
    },
    () => (replica.disk().stalledMs ?? 0) / 1000,
  );
  followCounter(
    registry,
    { name: "ferrite_disk_stalls_total", help: "Times that the log's disk stopped answering." },
    () => replica.disk().stalls,
  );
  followGauge(
    registry,
    {
      name: "ferrite_damage_places",
      help: "Places of damage to log and snapshots that the last start has found, or that are not made good yet.",
    },
    () => replica.disk().damages,
  );
  followGauge(
    registry,
    {
      name: "ferrite_damage_open",
      help: "1 while entries that damage took are missing: the node does not lead.",
    },
    () => replica.disk().missingUpTo !== null,
  );
}

/** R32 */
function registerChecks(registry: Registry, replica: RaftMetricsSource): void {
  followLabelledGauge(registry, {
    name: "ferrite_state_check_members",
    help: "Members by what the newest comparison of their data says of them; unknown: no answer, or no majority.",
    label: "state",
    read: () => {
      const members = replica.checks.verdict?.members ?? [];
      return MEMBER_STATES.map(
        (state) => [state, members.filter((member) => member.state === state).length] as const,
      );
    },
  });
  followGauge(
    registry,
    {
      name: "ferrite_state_check_index",
      help: "Log position of the newest comparison of the members' data; 0 before the first.",
    },
    () => replica.checks.verdict?.index ?? 0,
  );
}

function registerMembers(registry: Registry, replica: RaftMetricsSource): void {
  followGauge(
    registry,
    { name: "ferrite_raft_members", help: "Members of the cluster, learners included." },
    () => replica.members().length,
  );
  followGauge(
    registry,
    {
      name: "ferrite_raft_feature_level",
      help: "What the members may write into the log: the level that all of them support.",
    },
    () => replica.membership.featureLevel(),
  );
  followGauge(
    registry,
    {
      name: "ferrite_raft_member_change_in_progress",
      help: "1 while a change of the membership is under way.",
    },
    () => underWay(replica.membership.change()) !== null,
  );
  followLabelledGauge(registry, {
    name: "ferrite_raft_member_connected",
    help: "1 when the link to the member is up.",
    label: "member",
    read: () => replica.members().map((member) => [member.name, Number(member.connected)] as const),
  });
  followLabelledGauge(registry, {
    name: "ferrite_raft_member_match_index",
    help: "Log position the member is known to have; only on the leader.",
    label: "member",
    read: () =>
      replica
        .members()
        .filter((member) => member.matchIndex !== null)
        .map((member) => [member.name, member.matchIndex ?? 0] as const),
  });
}
