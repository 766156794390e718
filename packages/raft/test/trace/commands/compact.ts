/** A node takes a snapshot and forgets its log up to an index. `compact a 5`. */
import { wordAt, type Command } from "../command.ts";

export const compact: Command = (world, line) => {
  world.act(wordAt(line, 0), (node) => node.compact(Number(wordAt(line, 1))));
};
