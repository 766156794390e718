/** State checks of a replica. */
import { ReplicaError } from "../replica/errors.ts";
import type { ReplicaLimits, ReplicaPorts } from "../replica/options.ts";
import type { Replica } from "../replica/replica.ts";
import type { WriteClient } from "../replica/write-path.ts";
import { StateChecks } from "./state-checks.ts";
import type { StateVoters } from "./state-verdict.ts";

export function newStateChecks(
  replica: Replica,
  around: {
    readonly ports: ReplicaPorts;
    submit(bytes: Buffer, userId: number, client: WriteClient): string | null;
    /** The replica stops with this error. */
    fail(error: Error): void;
  },
  limits: ReplicaLimits,
): StateChecks {
  const { ports } = around;
  return new StateChecks(
    {
      nodeId: replica.nodeId,
      monotonicMs: () => ports.clock.monotonicMs(),
      random: () => ports.random(),
      machine: () => replica.machine,
      leads: () => replica.role() === "leader",
      isCaughtUp: () => replica.service.isCaughtUp,
      members: () => votersOf(replica),
      submit: (bytes, userId, client) => around.submit(bytes, userId, client),
      alarm: (alarm) => replica.members.alarm(alarm),
      judged: (verdict) => ports.events.stateJudged?.(verdict),
      // Not in the middle of apply.
      diverged: (text) => ports.defer(() => around.fail(new ReplicaError("STATE_DIVERGED", text))),
    },
    limits.stateCheckIntervalMs,
  );
}

/** As of the applied index: the same on every node when it judges. */
function votersOf({ machine }: Replica): StateVoters {
  const { voters, votersOutgoing, learners, learnersNext } = machine.configuration;
  return { voters, others: [...votersOutgoing, ...learners, ...learnersNext] };
}
