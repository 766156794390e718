/** Whether this node should get clients: a list of checks, each with its own reason when it fails. */
import type { ReplicaView } from "../replica/replica-view.ts";

/** Entries agreed and not yet applied beyond which a node is too far behind to serve. */
export const READY_APPLY_LAG_ENTRIES_MAX = 10_000;

export interface ReadinessSource {
  readonly replica: Pick<
    ReplicaView,
    "leaderId" | "commitIndex" | "appliedIndex" | "isCatchingUp" | "disk"
  >;
  /** The node is being stopped: it answers what it has and takes nothing new. */
  isDraining(): boolean;
  /** The log has no room for its next segment. */
  isDiskFull(): boolean;
  /** What is wrong with certificates: those from before serve, and the node is ready. Sentences. */
  certificateWarnings(): readonly string[];
  /** Why nobody may do anything here, or null: the first users are not known yet, or they may have changed elsewhere. */
  credentialsRefusal(): string | null;
}

export interface Check {
  readonly name: string;
  /** Null when it passes, else why not. */
  readonly failure: string | null;
  /** What somebody should look at, though the check passes. */
  readonly warning?: string;
}

/** Runs every check; the node is ready when none fails. */
export function readinessChecks(source: ReadinessSource): readonly Check[] {
  const { replica } = source;
  const lag = replica.commitIndex() - replica.appliedIndex();
  return [
    check("leader", replica.leaderId() !== null, "no leader is known"),
    check(
      "applied",
      lag <= READY_APPLY_LAG_ENTRIES_MAX,
      `${lag} entries behind, at most ${READY_APPLY_LAG_ENTRIES_MAX}`,
    ),
    check(
      "loaded",
      !replica.isCatchingUp(),
      "what was agreed before the start is not all applied yet",
    ),
    check("serving", !source.isDraining(), "the node is being stopped"),
    ...diskChecks(source),
    { name: "users", failure: source.credentialsRefusal() },
    ...warningCheck("certificates", source.certificateWarnings()),
  ];
}

function diskChecks(source: ReadinessSource): readonly Check[] {
  const failure = diskFailure(source);
  const { missingUpTo } = source.replica.disk();
  if (failure !== null || missingUpTo === null) return [{ name: "disk", failure }];
  return warningCheck("disk", [
    "the log was damaged: what is missing comes from the other nodes, and this node does not lead until it is there",
  ]);
}

function diskFailure(source: ReadinessSource): string | null {
  const { stalledMs } = source.replica.disk();
  if (stalledMs !== null) return `the disk has not answered for ${Math.round(stalledMs)} ms`;
  return source.isDiskFull() ? "no room for the next log segment" : null;
}

function check(name: string, passes: boolean, failure: string): Check {
  return { name, failure: passes ? null : failure };
}

function warningCheck(name: string, warnings: readonly string[]): readonly Check[] {
  if (warnings.length === 0) return [{ name, failure: null }];
  return warnings.map((warning) => ({ name, failure: null, warning }));
}

/** The list as Kubernetes' own endpoints print it. */
export function formatChecks(endpoint: string, checks: readonly Check[]): string {
  const lines = checks.map(({ name, failure, warning }) => {
    if (failure !== null) return `[-]${name} failed: ${failure}`;
    return warning === undefined ? `[+]${name} ok` : `[+]${name} ok, with a warning: ${warning}`;
  });
  const passed = checks.every(({ failure }) => failure === null);
  return [...lines, `${endpoint} check ${passed ? "passed" : "failed"}`, ""].join("\n");
}
