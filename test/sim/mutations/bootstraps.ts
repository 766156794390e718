/** Random bootstraps: which nodes form a cluster, in a world of broken links, dying processes and new disks. */
import { BootstrapWorld } from "../../../packages/node/test/peers/bootstrap-world.ts";

const STEPS = 1500;

/** One bootstrap in which a majority of disks stays, one in which any may be lost; what was wrong in either. */
export function bootstrapProblems(seed: number): readonly string[] {
  return [false, true].flatMap((wild) => {
    const world = new BootstrapWorld(seed, { wild });
    try {
      for (let step = 0; step < STEPS; step++) {
        world.disturb();
        world.expectAtMostOneCluster();
      }
      world.heal();
      world.expectAtMostOneCluster();
      world.expectConverged();
      return [];
    } catch (error) {
      return [`one cluster: ${(error as Error).stack ?? String(error)}`];
    }
  });
}
