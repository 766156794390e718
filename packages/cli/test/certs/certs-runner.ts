/** Runs `ferrite certs` as a person would. */
import { run } from "../../src/program.ts";
import { FakeWorld } from "../fixtures/fake-world.ts";

/** What it printed. @throws Error with what it complained about when the exit status is not 0 */
export async function certs(...args: readonly string[]): Promise<string[]> {
  const world = new FakeWorld();
  await certsIn(world, ...args);
  return world.printed;
}

/** The same with a person at a terminal, or other things that are different. */
export async function certsIn(world: FakeWorld, ...args: readonly string[]): Promise<void> {
  const code = await run(["certs", ...args], world);
  if (code !== 0) throw new Error(world.errors);
}
