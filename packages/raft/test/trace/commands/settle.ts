/** Messages arrive until none is on its way any more. `settle`; `settle quietly` writes only the outcome. */
import type { Command } from "../command.ts";
import { status } from "./status.ts";

const MESSAGES_MAX = 1000;

export const settle: Command = (world, line) => {
  const before = world.takeLines();
  for (let delivered = 0; world.inFlight.length > 0; delivered += 1) {
    if (delivered === MESSAGES_MAX) {
      throw new Error(`still not quiet after ${MESSAGES_MAX} messages`);
    }
    world.deliverOne();
  }
  const said = world.takeLines();
  before.forEach((text) => world.say(text));
  if (line.words.includes("quietly")) {
    status(world, { words: [], options: new Map() });
  } else {
    said.forEach((text) => world.say(text));
  }
};
