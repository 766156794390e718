/** Messages arrive, oldest first. `deliver` all that are on their way now, `deliver 2` so many, `deliver a>b` one link's. */
import type { Command } from "../command.ts";

export const deliver: Command = (world, line) => {
  const [which = "all"] = line.words;
  if (which.includes(">")) {
    const chosen = world.inFlight.filter((message) => `${message.from}>${message.to}` === which);
    world.inFlight = [...chosen, ...world.inFlight.filter((message) => !chosen.includes(message))];
    chosen.forEach(() => world.deliverOne());
    return;
  }
  const count = which === "all" ? world.inFlight.length : Number(which);
  for (let delivered = 0; delivered < count; delivered += 1) {
    world.deliverOne();
  }
};
