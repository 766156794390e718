/** How things stand. `status`, `status a`, `status a progress`. */
import { describeConfiguration } from "../describe.ts";
import type { Command } from "../command.ts";

export const status: Command = (world, line) => {
  const ids = line.words.filter((word) => world.nodes.has(word));
  for (const [id, node] of world.nodes) {
    if (ids.length > 0 && !ids.includes(id)) {
      continue;
    }
    if (!node.up) {
      world.say(`${id} is down`);
      continue;
    }
    const state = node.core.status();
    world.say(
      `${id} ${state.role} term=${state.term} commit=${state.commitIndex} ` +
        `log=${state.firstIndex}..${state.lastIndex} ${describeConfiguration(state.configuration)}`,
    );
    if (line.words.includes("progress")) {
      for (const [peer, progress] of state.progress) {
        world.say(
          `  ${peer} ${progress.state} match=${progress.matchIndex} next=${progress.nextIndex} ` +
            `inflight=${progress.inflightMessages}`,
        );
      }
    }
  }
};
