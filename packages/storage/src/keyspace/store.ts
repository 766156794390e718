import { EntryStore } from "./entry-store.ts";
import { assertInvariant } from "./errors.ts";
import { HashIndex } from "./hash-index.ts";
import { VolatileTable } from "./volatile-table.ts";

/**
 * All memory of a keyspace. `clear` exchanges it as a whole, so that clearing costs nothing and a running snapshot keeps
 * what it still has to write.
 */
export class Store {
  readonly entries: EntryStore = new EntryStore();
  readonly index: HashIndex = new HashIndex(this.entries);
  readonly volatile: VolatileTable = new VolatileTable(this.entries);

  get usedBytes(): number {
    return this.entries.usedBytes + this.index.usedBytes + this.volatile.usedBytes;
  }

  /**
   * Throws when the index, the arena, the expiry table or the accounting contradict each other. For tests.
   */
  checkInvariants(hashOf: (reference: number) => number): void {
    const references = this.index.checkInvariants(hashOf);
    const blocks = new Map<number, number>();
    const externalIds = new Set<number>();
    for (const reference of references) {
      assertInvariant(!blocks.has(reference), "two slots name one entry");
      blocks.set(reference, this.entries.blockContentBytes(reference));
      for (const id of this.entries.externalIds(reference)) {
        assertInvariant(!externalIds.has(id), "two entries share a long value");
        externalIds.add(id);
      }
    }
    this.entries.arena.checkInvariants(blocks);
    this.entries.external.checkInvariants(externalIds);
    this.volatile.checkInvariants(references);
  }
}
