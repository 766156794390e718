/** A process comes back with what its disk has. `restart a`. */
import { wordAt, type Command } from "../command.ts";

export const restart: Command = (world, line) => {
  const node = world.node(wordAt(line, 0));
  node.restart();
  world.carryOut(node);
};
