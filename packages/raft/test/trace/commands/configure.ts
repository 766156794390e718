/** Proposes a change of members by joint consensus. `configure a voters=a,b,d learners=c`. */
import { encodeConfiguration, enterJoint, EntryKind } from "../../../src/index.ts";
import { wordAt, type Command } from "../command.ts";

export const configure: Command = (world, line) => {
  const list = (name: string): readonly string[] => line.options.get(name)?.split(",") ?? [];
  world.act(wordAt(line, 0), (node) => {
    const target = {
      voters: list("voters"),
      votersOutgoing: [],
      learners: list("learners"),
      learnersNext: [],
    };
    const joint = enterJoint(node.core.status().configuration, target);
    const result = node.core.propose(encodeConfiguration(joint), EntryKind.Configuration);
    if (!result.accepted) {
      world.say(`refused: ${result.reason}`);
    }
  });
};
