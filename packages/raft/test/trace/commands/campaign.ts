/** Time passes at one node until it campaigns. `campaign a`. */
import { ELECTION_TICKS } from "../../harness/options.ts";
import { wordAt, type Command } from "../command.ts";

export const campaign: Command = (world, line) => {
  const id = wordAt(line, 0);
  for (let passed = 0; passed < 2 * ELECTION_TICKS; passed += 1) {
    world.act(id, (node) => node.core.tick());
    const role = world.node(id).core.role();
    if (role !== "follower" && role !== "learner") {
      return;
    }
  }
  world.say(`${id} does not campaign`);
};
