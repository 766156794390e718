/**
 * A bounded queue that serves addresses in turn: what one of them sends delays its own, not the others'.
 *
 *   addresses in turn    what waits, oldest first
 *        10.0.0.9        [a1 a2 a3 a4 ...]         next: a1, b1, c1, a2, a3 ...
 *        10.0.0.7        [b1]
 *        10.1.2.3        [c1]
 *
 * When it is full, an address that has less waiting than the one with the most takes the last place of that one.
 */
export class FairQueue<Item> {
  readonly #sizeMax: number;
  /** Never holds an empty list. The order of the map is the order of turns. */
  readonly #byAddress = new Map<string, Item[]>();
  #size = 0;

  /** `sizeMax`: items that may wait, at least 1. */
  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get size(): number {
    return this.#size;
  }

  /** Takes an item in. Returns the one that is turned away for it, which may be itself; null when there was room. */
  push(address: string, item: Item): Item | null {
    if (this.#size < this.#sizeMax) {
      this.#append(address, item);
      return null;
    }
    const own = this.#byAddress.get(address)?.length ?? 0;
    const longest = this.#longest();
    if (longest === null || own + 1 >= longest.items.length) return item;
    // It keeps at least one: it had two more than we have.
    const displaced = longest.items.pop()!;
    this.#size--;
    this.#append(address, item);
    return displaced;
  }

  /** The next one in turn; undefined when nothing waits. */
  shift(): Item | undefined {
    const next = this.#byAddress.entries().next();
    if (next.done === true) return undefined;
    const [address, items] = next.value;
    const item = items.shift();
    this.#size--;
    // To the end of the turns.
    this.#byAddress.delete(address);
    if (items.length > 0) this.#byAddress.set(address, items);
    return item;
  }

  /** Takes everything out. */
  drain(): Item[] {
    const all = [...this.#byAddress.values()].flat();
    this.#byAddress.clear();
    this.#size = 0;
    return all;
  }

  #append(address: string, item: Item): void {
    const items = this.#byAddress.get(address);
    if (items === undefined) this.#byAddress.set(address, [item]);
    else items.push(item);
    this.#size++;
  }

  /** Looked for only when the queue is full; there are at most as many addresses as places. */
  #longest(): { readonly items: Item[] } | null {
    let longest: Item[] | null = null;
    for (const items of this.#byAddress.values()) {
      if (longest === null || items.length > longest.length) longest = items;
    }
    return longest === null ? null : { items: longest };
  }
}
