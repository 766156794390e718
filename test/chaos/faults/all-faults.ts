/** Every kind of fault there is, by name. */
import { ChaosError } from "../errors.ts";
import { badDisks } from "./bad-disks.ts";
import { badLines } from "./bad-lines.ts";
import { clocks } from "./clocks.ts";
import { crashes } from "./crashes.ts";
import { damage } from "./damage.ts";
import type { FaultKind } from "./fault.ts";
import { membership } from "./membership.ts";
import { partitions } from "./partitions.ts";
import { pauses } from "./pauses.ts";
import { restarts } from "./restarts.ts";

export const ALL_FAULTS: readonly FaultKind[] = [
  ...partitions,
  ...badLines,
  ...pauses,
  ...crashes,
  ...restarts,
  ...badDisks,
  ...damage,
  ...clocks,
  ...membership,
];

/** The kinds of these names; a name may also be the part before the dash, for all of that part ("disk"). */
export function faultsNamed(names: readonly string[]): FaultKind[] {
  const found = names.flatMap((name) => {
    const kinds = ALL_FAULTS.filter(
      (kind) => kind.name === name || kind.name.startsWith(`${name}-`),
    );
    if (kinds.length > 0) return kinds;
    const known = ALL_FAULTS.map((kind) => kind.name).join(", ");
    throw new ChaosError("badArgument", `no fault is called "${name}"; there are ${known}`);
  });
  return [...new Set(found)];
}
