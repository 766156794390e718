/** Proposes values. `propose a x`, `propose a x y z` (together, before the core is asked what to do). */
import { bytesOf } from "../../harness/options.ts";
import { wordAt, type Command } from "../command.ts";

export const propose: Command = (world, line) => {
  world.act(wordAt(line, 0), (node) => {
    for (const text of line.words.slice(1)) {
      const result = node.core.propose(bytesOf(text));
      if (!result.accepted) {
        world.say(`refused: ${result.reason}, leader ${result.leader ?? "unknown"}`);
      }
    }
  });
};
