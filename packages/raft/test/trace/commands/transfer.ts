/** The leader is asked to hand over. `transfer a b`, `transfer a`. */
import { wordAt, type Command } from "../command.ts";

export const transfer: Command = (world, line) => {
  world.act(wordAt(line, 0), (node) => {
    if (!node.core.transferLeadership(line.words[1])) {
      world.say("refused");
    }
  });
};
