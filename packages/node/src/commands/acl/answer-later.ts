/** Answers that wait for a hash, a disk or the agreement of the cluster. */
import type { Reply } from "../../resp/reply.ts";
import type { EdgeContext } from "../../server/edge-context.ts";

export type Answer = (write: (reply: Reply) => void) => void;

/**
 * Makes the client wait until the function that is returned is called; what that one is given writes the reply. It
 * does nothing when the client has left meanwhile. The request's arguments are not valid any more by then: copy first.
 */
export function answerLater(context: EdgeContext): Answer {
  const { reply } = context;
  const state = { gone: false };
  const waiting = context.defer(() => {
    state.gone = true;
  });
  return (write) => {
    if (state.gone) return;
    write(reply);
    waiting.resume();
  };
}
