/**
 * A trace file:
 *
 *   # Prose that says what is about to happen and why.
 *   command line
 *   command line
 *   ----
 *   everything that came of it
 *   (an empty line ends the block)
 */
import { commands } from "./commands/index.ts";
import { parseCommandLine } from "./command.ts";
import { TraceWorld } from "./world.ts";

/** Plays the commands of a trace, and gives back the file as it should be. */
export function replay(text: string): string {
  const world = new TraceWorld();
  const blocks = text.split(/\n\n+/).filter((block) => block.trim() !== "");
  return `${blocks.map((block) => replayBlock(world, block)).join("\n\n")}\n`;
}

function replayBlock(world: TraceWorld, block: string): string {
  const lines = block.split("\n").filter((line) => line !== "");
  const end = lines.indexOf("----");
  const given = end === -1 ? lines : lines.slice(0, end);
  const orders = given.filter((line) => !line.startsWith("#"));
  if (orders.length === 0) {
    return given.join("\n");
  }
  for (const order of orders) {
    const { name, ...line } = parseCommandLine(order);
    const command = commands.get(name);
    if (command === undefined) {
      throw new Error(`"${name}" is not a command`);
    }
    command(world, line);
  }
  const output = world.takeLines();
  return [...given, "----", ...(output.length > 0 ? output : ["ok"])].join("\n");
}
