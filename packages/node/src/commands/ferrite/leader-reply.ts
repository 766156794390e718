/** What the leader says to a wish, in the words of a reply. */
import type { LeadershipOutcome } from "../../replica/leadership-control.ts";
import type { Reply } from "../../resp/reply.ts";

const ERRORS: Readonly<Record<Exclude<LeadershipOutcome, "accepted">, string>> = {
  notLeader: "CLUSTERDOWN no leader answered; leadership stays where it is",
  timeout: "CLUSTERDOWN no leader answered; leadership stays where it is",
  nobody: "REFUSED no voter can take over: none, or not this one, is in contact with the leader",
  underWay: "REFUSED leadership is being handed over already; FERRITE.LEADER CANCEL gives that up",
  nothing: "REFUSED nobody hands leadership over",
  stays: "REFUSED the other node did not take over in time; the leader is the same as before",
};

export function replyOutcome(reply: Reply, outcome: LeadershipOutcome): void {
  if (outcome === "accepted") reply.ok();
  else reply.error(ERRORS[outcome]);
}
