/**
 * Opens log and snapshots of a node. A disk that is damaged is repaired first, when other nodes have what is missing
 * (R42, R58); what that owes the cluster is told to the core as its floor, at every start until the log is whole again.
 *
 *   whole                                    opened
 *   damaged, nothing acknowledged missing    repaired, opened
 *   damaged, entries missing                 repaired, opened with a floor; alone: refused
 *   damaged, votes not known                 the past is given up (renewal.ts); alone: refused
 */
import type { LogPosition, SnapshotMeta } from "@ferrite/raft";
import {
  carryOutRepair,
  endRepair,
  FileSnapshotStore,
  isDamage,
  openLog,
  openRepair,
  planAnew,
  planRepair,
  renewNote,
  StorageError,
  type Damage,
  type FileSystem,
  type LogWriterEvents,
  type RecoveredLog,
  type RepairPlaces,
  type RepairPlan,
  type WorkerLogWriter,
} from "@ferrite/storage";
import type { Logger } from "pino";
import { TrackedSnapshots } from "../at-rest/tracked-snapshots.ts";
import { endDistrust, isStateDistrusted } from "./distrust.ts";
import { RepairError } from "./errors.ts";

export interface GroupDiskOptions {
  readonly fileSystem: FileSystem;
  readonly dataDirectory: string;
  readonly places: RepairPlaces;
  /** repair-damaged-disk: whether damage is repaired at all. */
  readonly mayRepair: boolean;
  /** There are other nodes that have what this one has lost. */
  readonly hasPeers: boolean;
  readonly logger: Logger;
}

/** What is known of damage to this node's disk, and what is still missing because of it. */
export interface DamageFacts {
  /** Of this start, or of an earlier one whose repair is not over. */
  readonly damages: readonly Damage[];
  /** Where the log ended before it was damaged; null when it is that far again. */
  readonly floor: LogPosition | null;
}

export interface GroupDisk {
  readonly snapshots: TrackedSnapshots;
  readonly snapshot: SnapshotMeta | null;
  readonly writer: WorkerLogWriter;
  readonly recovered: RecoveredLog;
  readonly repair: RepairState;
}

/** A repair that is under way, or none. */
export class RepairState {
  readonly #options: GroupDiskOptions;
  readonly damages: readonly Damage[];
  #floor: LogPosition | null;
  #isOpen: boolean;

  constructor(
    options: GroupDiskOptions,
    open: { readonly damages: readonly Damage[]; readonly floor: LogPosition | null } | null,
  ) {
    this.#options = options;
    this.damages = open?.damages ?? [];
    this.#floor = open?.floor ?? null;
    this.#isOpen = open !== null;
  }

  get facts(): DamageFacts {
    return { damages: this.damages, floor: this.#floor };
  }

  get floor(): LogPosition | null {
    return this.#floor;
  }

  /** `floor`: what the core still misses. Ends the repair when it misses nothing any more. */
  look(floor: LogPosition | null): void {
    if (!this.#isOpen || floor !== null) return;
    this.#isOpen = false;
    this.#floor = null;
    const { fileSystem, places, logger } = this.#options;
    endRepair(fileSystem, places);
    logger.warn(
      { damages: this.damages.length },
      "the damaged disk is whole again: the log is as far as it was before",
    );
  }
}

/**
 * @throws StorageError what opening a disk throws, as before when it can not be repaired; RepairError PAST_UNKNOWN
 */
export async function openGroupDisk(
  options: GroupDiskOptions,
  events: LogWriterEvents,
): Promise<GroupDisk> {
  const { fileSystem, places } = options;
  openRepair(fileSystem, places);
  dropDistrustedState(options);
  let opened: Opened;
  try {
    opened = await openBoth(places, events);
  } catch (error) {
    if (!(error instanceof StorageError) || !isDamage(error) || !options.mayRepair) throw error;
    repair(options, error);
    opened = await openBoth(places, events);
  }
  return { ...opened, repair: stateOf(options, opened.recovered) };
}

type Opened = Omit<GroupDisk, "repair">;

async function openBoth(places: RepairPlaces, events: LogWriterEvents): Promise<Opened> {
  const snapshots = new TrackedSnapshots(await FileSnapshotStore.open(places.snapshots));
  const snapshot = snapshots.latest();
  const after = { index: snapshot?.index ?? 0, term: snapshot?.term ?? 0 };
  const { writer, recovered } = await openLog({ ...places.log, after }, events);
  return { snapshots, snapshot, writer, recovered };
}

function stateOf(options: GroupDiskOptions, recovered: RecoveredLog): RepairState {
  const { fileSystem, places } = options;
  const open = openRepair(fileSystem, places);
  if (open === null) return new RepairState(options, null);
  const { floor, damages } = open;
  if (floor !== "lost") return new RepairState(options, { floor, damages });
  const term = recovered.hardState?.term ?? 0;
  return new RepairState(options, { floor: renewNote(fileSystem, places, term), damages });
}

/** A state that differed from the majority's is not opened: it comes from the other nodes, behind the same floor (R32). */
function dropDistrustedState(options: GroupDiskOptions): void {
  const { fileSystem, places, logger, dataDirectory, hasPeers } = options;
  if (!isStateDistrusted(fileSystem, dataDirectory)) return;
  const reason = "the state of this node was not that of the majority";
  const damage = { file: places.snapshots.directory, offsetBytes: 0, reason };
  if (!hasPeers) {
    throw new StorageError(
      "damaged",
      `${reason}, and there is no other node that has it: nothing was changed`,
      { place: damage },
    );
  }
  const plan = planAnew(fileSystem, places, damage);
  if (plan.kept === null) throw pastUnknown(plan, null);
  carryOutRepair(fileSystem, places, { ...plan, kept: plan.kept });
  endDistrust(fileSystem, dataDirectory);
  logger.error(
    { floor: plan.floor },
    "the state of this node was not that of the majority: it was put aside, and comes from the other nodes",
  );
}

function pastUnknown({ damages }: RepairPlan, cause: StorageError | null): RepairError {
  const [first] = damages;
  return new RepairError(
    "PAST_UNKNOWN",
    `Nobody can say what this node has voted for: its log and its votes are damaged (${first?.file}, byte offset ` +
      `${first?.offsetBytes}: ${first?.reason})`,
    { cause },
  );
}

function repair(options: GroupDiskOptions, cause: StorageError): void {
  const { fileSystem, places, logger, hasPeers } = options;
  const plan = planRepair(fileSystem, places, cause);
  const { kept, floor } = plan;
  if (!hasPeers && (kept === null || floor !== null)) throw cause;
  for (const damage of plan.damages) logger.error(damage, "the disk is damaged");
  if (kept === null) throw pastUnknown(plan, cause);
  carryOutRepair(fileSystem, places, { ...plan, kept });
  logger.error(
    { keptEntries: kept.entries.length, snapshotIndex: kept.after.index, floor },
    floor === null
      ? "the damaged disk was repaired: nothing that this node has acknowledged is missing. The damaged files were renamed"
      : "the damaged disk was repaired: what is missing comes from the other nodes, and until then this node leads nobody. " +
          "The damaged files were renamed",
  );
}
