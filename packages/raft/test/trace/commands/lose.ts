/** Messages are lost. `lose` all that are on their way, `lose a>b` those of one link, `lose a>b 1` only the oldest. */
import { describeMessage } from "../describe.ts";
import type { Command } from "../command.ts";

export const lose: Command = (world, line) => {
  const [link, count] = line.words;
  const matching = world.inFlight.filter(
    (message) => link === undefined || `${message.from}>${message.to}` === link,
  );
  const lost = matching.slice(0, count === undefined ? matching.length : Number(count));
  world.inFlight = world.inFlight.filter((message) => !lost.includes(message));
  lost.forEach((message) => world.say(`lost ${describeMessage(message)}`));
};
