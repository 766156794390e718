/** Changes of users from the commands of this family. */
import type { UsersProposal } from "../../replica/access-state.ts";
import type { Reply } from "../../resp/reply.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { answerLater, type Answer } from "./answer-later.ts";

/**
 * Proposes a change and answers when every node in contact has applied it, or with the error. `write` gets how many
 * users the change concerned.
 */
export function proposeUsers(
  context: EdgeContext,
  proposal: UsersProposal,
  write: (reply: Reply, count: number) => void,
): void {
  proposeWith(context, proposal, { answer: answerLater(context), write });
}

/** The same for a client that waits already. */
export function proposeWith(
  { server, client }: Pick<EdgeContext, "server" | "client">,
  proposal: UsersProposal,
  { answer, write }: { answer: Answer; write: (reply: Reply, count: number) => void },
): void {
  server.access.propose(proposal, client, (outcome) => {
    answer((reply) => {
      if (outcome.ok) write(reply, outcome.count);
      else reply.error(outcome.errorText);
    });
  });
}
