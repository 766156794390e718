/** Cuts links one way. `cut a>b b>a`, `cut a` (all links of one node, both ways). */
import type { Command } from "../command.ts";

export const cut: Command = (world, line) => {
  for (const word of line.words) {
    if (word.includes(">")) {
      world.cutLinks.add(word);
      continue;
    }
    for (const other of world.nodes.keys()) {
      world.cutLinks.add(`${word}>${other}`);
      world.cutLinks.add(`${other}>${word}`);
    }
  }
};
