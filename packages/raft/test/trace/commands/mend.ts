/** All links work again. `mend`. */
import type { Command } from "../command.ts";

export const mend: Command = (world) => {
  world.cutLinks.clear();
};
