/** Access control of a node that starts: nobody is honoured before it is known who the first users of the cluster are. */
import type { UsersChange, UserTable } from "@ferrite/acl";
import type { AccessState, UsersOutcome, UsersProposal } from "../replica/access-state.ts";

/** Redis' words of a server that starts, which clients know to wait for. */
const STARTING = "LOADING Redis is loading the dataset in memory";

/** The users of the replica, closed until `open` is called. */
export class BootGate implements AccessState {
  readonly #state: AccessState;
  #isOpen = false;

  constructor(state: AccessState) {
    this.#state = state;
  }

  open(): void {
    this.#isOpen = true;
  }

  users(): UserTable {
    return this.#state.users();
  }

  credentialsRefusal(): string | null {
    return this.#state.credentialsRefusal() ?? (this.#isOpen ? null : STARTING);
  }

  propose(
    proposal: UsersProposal,
    actorId: number | null,
    done: (outcome: UsersOutcome) => void,
  ): void {
    this.#state.propose(proposal, actorId, done);
  }

  onUsersChanged(listener: (change: UsersChange | null, index: number) => void): () => void {
    return this.#state.onUsersChanged(listener);
  }
}
