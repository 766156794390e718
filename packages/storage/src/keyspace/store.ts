import { EntryStore } from "./entry-store.ts";
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
}
