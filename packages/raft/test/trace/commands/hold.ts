/** Disk writes of a node wait from now on. `hold a`. */
import { wordAt, type Command } from "../command.ts";

export const hold: Command = (world, line) => {
  world.held.add(wordAt(line, 0));
};
