/** Asks one node for one thing over RESP, as somebody at redis-cli does, and hears the answer or does not. */
import { commandBytes } from "../command-bytes.ts";
import { ReplyReader, type SimReply } from "../edge/reply-reader.ts";
import type { VirtualStream } from "../edge/virtual-stream.ts";
import type { Prng } from "../prng.ts";
import type { Scheduler } from "../scheduler.ts";
import type { SimNode } from "../sim-node.ts";

/** After this the operator gives up and looks what became of it some other way. */
const PATIENCE_MS = 15_000;

/** `done` is called once: with the answer, or with null when there is none. False: nothing listens there. */
export function askNode(
  node: SimNode,
  words: readonly string[],
  world: { readonly scheduler: Scheduler; readonly prng: Prng },
  done: (reply: SimReply | null) => void,
): boolean {
  const replies = new ReplyReader();
  let isOver = false;
  const finish = (reply: SimReply | null): void => {
    if (isOver) return;
    isOver = true;
    stream?.endByClient();
    done(reply);
  };
  const events = {
    onData: (bytes: Buffer) => {
      for (const reply of replies.push(bytes)) finish(reply);
    },
    onClosed: () => finish(null),
  };
  const stream: VirtualStream | null = node.connect(events, world.prng.fork());
  if (stream === null) return false;
  stream.send(commandBytes(...words));
  world.scheduler.after(PATIENCE_MS, () => finish(null));
  return true;
}
