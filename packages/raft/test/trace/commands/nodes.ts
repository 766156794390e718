/**
 * Makes nodes, also anew. `nodes a b c`, `nodes a b c learners=d`, `nodes a log=1,1,2 term=3 commit=1 voters=a,b,c`,
 * `seed=5`, `appendBytes=1` (one entry per append).
 */
import { entriesOf, optionsOf } from "../../harness/options.ts";
import { TestNode } from "../../harness/test-node.ts";
import type { Command } from "../command.ts";

export const nodes: Command = (world, line) => {
  const list = (name: string): readonly string[] | null =>
    line.options
      .get(name)
      ?.split(",")
      .filter((part) => part !== "") ?? null;
  const entries = entriesOf((list("log") ?? []).map(Number));
  const learners = list("learners") ?? [];
  const term = Number(line.options.get("term") ?? entries.at(-1)?.term ?? 0);
  for (const id of [...line.words, ...(list("voters") === null ? learners : [])]) {
    const options = optionsOf({
      id,
      voters: list("voters") ?? line.words,
      learners,
      limits: { appendBytesMax: Number(line.options.get("appendBytes") ?? 64) },
      seed: Number(line.options.get("seed") ?? 1),
      entries,
      hardState: { term, vote: null, commit: Number(line.options.get("commit") ?? 0) },
    });
    const node = new TestNode(options, world);
    world.nodes.set(id, node);
    world.carryOut(node);
  }
};
