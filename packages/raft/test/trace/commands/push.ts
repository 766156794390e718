/** The leader tells its commit index to those who were not told. `push a`, `push a b`. */
import { wordAt, type Command } from "../command.ts";

export const push: Command = (world, line) => {
  world.act(wordAt(line, 0), (node) => node.core.pushCommit(line.words[1]));
};
