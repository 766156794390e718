/** A process ends; writes that wait are lost. `crash a`. */
import { wordAt, type Command } from "../command.ts";

export const crash: Command = (world, line) => {
  world.node(wordAt(line, 0)).crash(0);
};
