/** Waits for clients without looking at them in vain: conditions are tried when a client says that it has got on. */

const TIMEOUT_MS = 30_000;

export class Progress {
  readonly #waiters = new Set<() => void>();

  changed(): void {
    for (const waiter of this.#waiters) waiter();
  }

  /** Until the condition holds for all; rejects with the names of those for which it does not come to hold. */
  until<Client extends { readonly name: string }>(
    what: string,
    clients: readonly Client[],
    condition: (client: Client) => boolean,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!clients.every(condition)) return;
        clearTimeout(timer);
        this.#waiters.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(look);
        const missing = clients.filter((client) => !condition(client)).map(({ name }) => name);
        reject(
          new Error(`waited ${TIMEOUT_MS} ms in vain: ${what}; missing: ${missing.join(", ")}`),
        );
      }, TIMEOUT_MS);
      this.#waiters.add(look);
      look();
    });
  }
}
