/**
 * Defects that can be put into a simulated cluster on purpose. A simulator that does not find them proves nothing by
 * finding nothing.
 */
import type { AccessPorts, PeerPayload, Transport } from "@ferrite/node/simulation";

export interface Canary {
  /** A leader counts copies of an entry of an earlier term as a commit (figure 8 of the paper). */
  readonly commitOldTerm: boolean;
  /** The vote is not on disk when the term is. */
  readonly loseVote: boolean;
  /** Writes are reported durable when they are not. */
  readonly ackBeforeSync: boolean;
  /** A change of the users is answered without asking the other nodes whether they have it. */
  readonly settleEarly: boolean;
  /** Credentials are honoured by a node that can not know whether they are still good. */
  readonly honourStale: boolean;
  /** Apply believes what the edge has checked, whatever became of the user since. */
  readonly applyUnchecked: boolean;
  /** Every opening of an encrypted segment draws the same salt for its nonces. */
  readonly reuseNonces: boolean;
  /** The node has keys at rest and does not use them. */
  readonly inTheClear: boolean;
  /** What is damaged on the disk is cut, with all behind it. */
  readonly cutDamage: boolean;
}

export const NO_CANARY: Canary = {
  commitOldTerm: false,
  loseVote: false,
  ackBeforeSync: false,
  settleEarly: false,
  honourStale: false,
  applyUnchecked: false,
  reuseNonces: false,
  inTheClear: false,
  cutDamage: false,
};

export const CANARIES: Readonly<Record<string, Canary>> = {
  "commit-old-term": { ...NO_CANARY, commitOldTerm: true },
  "lose-vote": { ...NO_CANARY, loseVote: true },
  "ack-before-sync": { ...NO_CANARY, ackBeforeSync: true },
  "settle-early": { ...NO_CANARY, settleEarly: true },
  "honour-stale": { ...NO_CANARY, honourStale: true },
  "apply-unchecked": { ...NO_CANARY, applyUnchecked: true },
  "reuse-nonces": { ...NO_CANARY, reuseNonces: true },
  "in-the-clear": { ...NO_CANARY, inTheClear: true },
  "cut-damage": { ...NO_CANARY, cutDamage: true },
};

/** Ports of a state machine that takes every user for there and allowed, for ever. */
export function uncheckedAccess(access: AccessPorts): AccessPorts {
  return {
    ...access,
    newUsers: () => {
      const users = access.newUsers();
      const anybody = users.get("default");
      users.byId = () => anybody;
      return users;
    },
  };
}

/** A transport that answers in the others' place when they are asked whether they have a change of the users. */
export function settlingEarly<Given extends Transport>(
  transport: Given,
  receive: (from: string, payload: PeerPayload) => void,
): Given {
  return {
    ...transport,
    send: (to, payload) => {
      if (payload.kind !== "settleQuery") return transport.send(to, payload);
      const { requestId } = payload;
      receive(to, { kind: "settleAnswer", requestId });
      return true;
    },
  };
}
