/** Time passes at one node. `tick a`, `tick a 5`. */
import { wordAt, type Command } from "../command.ts";

export const tick: Command = (world, line) => {
  const count = Number(line.words[1] ?? 1);
  for (let passed = 0; passed < count; passed += 1) {
    world.act(wordAt(line, 0), (node) => node.core.tick());
  }
};
