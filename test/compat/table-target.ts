/** Our command table in this process, with the clock of this machine: no server, no network. */
import { Evaluator } from "../../packages/node/test/commands/evaluator.ts";
import type { Session, Target } from "./target.ts";

export class TableTarget implements Target {
  readonly name = "Ferrite's command table";

  async open(protocol: 2 | 3): Promise<Session> {
    const evaluator = new Evaluator({ nowMs: () => Date.now(), random: Math.random });
    return {
      exchange: async (requests) => requests.map((request) => evaluator.run(request, protocol)),
      clear: async () => evaluator.clear(),
      close: async () => {},
    };
  }
}
