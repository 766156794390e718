/** A node learns that its link to another broke. `unreachable a b`. */
import { wordAt, type Command } from "../command.ts";

export const unreachable: Command = (world, line) => {
  world.act(wordAt(line, 0), (node) => node.core.peerUnreachable(wordAt(line, 1)));
};
