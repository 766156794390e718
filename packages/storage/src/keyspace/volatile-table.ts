/**
 * The keys that expire, in no particular order, so that the active expiry looks at these only.
 *
 *   page   | reference | ... |   and   | expiry in Unix seconds | ... |     4,096 places each
 *
 * An entry knows its place here; a removal fills the gap with the last place. The seconds are repeated here so that a
 * walk reads memory in sequence and touches an entry only once it has expired or is about to. Pages are added and
 * dropped one by one, so nothing is ever copied as a whole.
 */
import type { EntryStore } from "./entry-store.ts";
import { assertInvariant } from "./errors.ts";

const PAGE_SHIFT = 12;
const PAGE_PLACES = 1 << PAGE_SHIFT;
const PAGE_MASK = PAGE_PLACES - 1;
const PAGE_BYTES = PAGE_PLACES * 8 + 400;
const SECONDS_MAX = 0xffffffff;
const TTL_SAMPLE = 256;

interface Page {
  readonly references: Uint32Array;
  readonly seconds: Uint32Array;
}

export class VolatileTable {
  readonly #entries: EntryStore;
  readonly #pages: Page[] = [];
  #count = 0;
  #rotation = 0;

  constructor(entries: EntryStore) {
    this.#entries = entries;
  }

  get count(): number {
    return this.#count;
  }

  get usedBytes(): number {
    return this.#pages.length * PAGE_BYTES;
  }

  /** Adds an entry that has an expiry and is not here. */
  add(reference: number, expireAtMs: number): void {
    const place = this.#count;
    if (place >>> PAGE_SHIFT === this.#pages.length) {
      this.#pages.push({
        references: new Uint32Array(PAGE_PLACES),
        seconds: new Uint32Array(PAGE_PLACES),
      });
    }
    this.#count += 1;
    this.set(place, reference, expireAtMs);
    this.#entries.setVolatilePlace(reference, place);
  }

  /** Puts what `place` holds right after its entry moved or got another expiry. */
  set(place: number, reference: number, expireAtMs: number): void {
    const page = this.#pages[place >>> PAGE_SHIFT];
    page.references[place & PAGE_MASK] = reference;
    page.seconds[place & PAGE_MASK] = toSeconds(expireAtMs);
  }

  /** Takes out the entry at `place`. */
  remove(place: number): void {
    assertInvariant(place < this.#count, "a place beyond the end of the volatile table");
    const last = this.#count - 1;
    this.#count = last;
    if (place !== last) {
      const from = this.#pages[last >>> PAGE_SHIFT];
      const to = this.#pages[place >>> PAGE_SHIFT];
      const reference = from.references[last & PAGE_MASK];
      to.references[place & PAGE_MASK] = reference;
      to.seconds[place & PAGE_MASK] = from.seconds[last & PAGE_MASK]!;
      this.#entries.setVolatilePlace(reference, place);
    }
    // Half a page of slack, so that a count at a border does not add and drop a page in turn.
    const needed = this.#count === 0 ? 0 : this.#count + PAGE_PLACES / 2;
    while ((this.#pages.length - 1) * PAGE_PLACES >= needed && this.#pages.length > 0) {
      this.#pages.pop();
    }
  }

  /**
   * Visits up to `limit` entries that have expired, looking at up to `examineMax` places from where the last call
   * ended. `visit` must not change the keyspace.
   */
  collectExpired(
    nowMs: number,
    budget: { readonly limit: number; readonly examineMax: number },
    visit: (reference: number) => void,
  ): void {
    const nowSeconds = toSeconds(nowMs);
    let examine = Math.min(budget.examineMax, this.#count);
    let left = budget.limit;
    let place = this.#rotation < this.#count ? this.#rotation : 0;
    for (; examine > 0 && left > 0; examine -= 1) {
      const page = this.#pages[place >>> PAGE_SHIFT];
      if (page.seconds[place & PAGE_MASK] <= nowSeconds) {
        const reference = page.references[place & PAGE_MASK];
        if (nowMs > this.#entries.expireAtMs(reference)) {
          visit(reference);
          left -= 1;
        }
      }
      place = place + 1 === this.#count ? 0 : place + 1;
    }
    this.#rotation = place;
  }

  /** The mean remaining life of up to 256 living entries, spread evenly over the table; 0 when there are none. */
  averageTtlMs(nowMs: number): number {
    const step = Math.max(1, Math.floor(this.#count / TTL_SAMPLE));
    let sumMs = 0;
    let living = 0;
    for (let place = 0; place < this.#count; place += step) {
      const reference = this.#pages[place >>> PAGE_SHIFT].references[place & PAGE_MASK];
      const leftMs = this.#entries.expireAtMs(reference) - nowMs;
      if (leftMs >= 0) {
        sumMs += leftMs;
        living += 1;
      }
    }
    return living === 0 ? 0 : Math.floor(sumMs / living);
  }

  /** Throws unless exactly the entries with an expiry among `references` are here. For tests. */
  checkInvariants(references: readonly number[]): void {
    let withExpiry = 0;
    for (const reference of references) {
      if (!this.#entries.hasExpiry(reference)) {
        continue;
      }
      withExpiry += 1;
      const place = this.#entries.volatilePlace(reference);
      assertInvariant(place < this.#count, "an entry's volatile place does not exist");
      const page = this.#pages[place >>> PAGE_SHIFT];
      const index = place & PAGE_MASK;
      assertInvariant(page.references[index] === reference, "a volatile place holds another");
      const seconds = toSeconds(this.#entries.expireAtMs(reference));
      assertInvariant(page.seconds[index] === seconds, "a volatile place has another expiry");
    }
    assertInvariant(withExpiry === this.#count, "the count of volatile keys is wrong");
  }
}

function toSeconds(ms: number): number {
  const seconds = Math.floor(ms / 1000);
  return seconds < SECONDS_MAX ? seconds : SECONDS_MAX;
}
