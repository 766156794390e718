/** What the sub-commands of FERRITE.ATREST that change keys have in common. */
import type { AtRestView } from "../../at-rest/at-rest-view.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { answerLater } from "../acl/answer-later.ts";

/** OK when it is done, else why not: all is as it was then. */
export function changeKeys(
  context: EdgeContext,
  change: (atRest: AtRestView) => Promise<string | null>,
): void {
  const { server } = context;
  const blocked = server.audit.refusal();
  if (blocked !== null) return context.reply.error(blocked);
  const answer = answerLater(context);
  void change(server.atRest).then((refusal) => {
    answer((reply) => {
      if (refusal === null) reply.ok();
      else reply.error(`ERR ${refusal}`);
    });
  });
}
