/** A node is asked for read indexes. `read a 1`, `read a 1 2 3` (together). */
import { wordAt, type Command } from "../command.ts";

export const read: Command = (world, line) => {
  world.act(wordAt(line, 0), (node) => {
    line.words.slice(1).forEach((requestId) => node.core.readIndex(Number(requestId)));
  });
};
