/** The waiting disk writes of a node are done, and later ones no longer wait. `persist a`. */
import { wordAt, type Command } from "../command.ts";

export const persist: Command = (world, line) => {
  world.held.delete(wordAt(line, 0));
  world.act(wordAt(line, 0), () => undefined);
};
