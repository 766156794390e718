/**
 * Which reads of a connection a confirmation by the leader covers: those whose bytes had arrived when it was asked for.
 * So a pipeline of linearizable reads costs one confirmation, and a read never uses one older than itself.
 */
export class ReadConfirmation {
  /** Reads that end at or before this position in the client's stream of bytes are covered. */
  #coveredTo = 0;
  #pendingTo = -1;
  /** The answer of the covered reads when the leader could not be asked. */
  errorText: string | null = null;

  get inProgress(): boolean {
    return this.#pendingTo >= 0;
  }

  covers(position: number): boolean {
    return position <= this.#coveredTo;
  }

  begin(receivedTo: number): void {
    this.#pendingTo = receivedTo;
  }

  end(errorText: string | null): void {
    this.#coveredTo = this.#pendingTo;
    this.#pendingTo = -1;
    this.errorText = errorText;
  }
}
