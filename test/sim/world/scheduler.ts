/** Virtual time: events in order of their moment, and among equals in the order they were planned. Nothing waits. */
interface Event {
  readonly atUs: number;
  readonly order: number;
  readonly run: () => void;
}

export class Scheduler {
  readonly #heap: Event[] = [];
  #nowUs = 0;
  #order = 0;

  get nowMs(): number {
    return this.#nowUs / 1000;
  }

  get isEmpty(): boolean {
    return this.#heap.length === 0;
  }

  after(delayMs: number, run: () => void): void {
    // A time that is none would end the simulation without a word.
    if (!(delayMs >= 0)) throw new RangeError(`an event can not come after ${delayMs} ms`);
    const atUs = this.#nowUs + Math.round(delayMs * 1000);
    this.#push({ atUs, order: this.#order++, run });
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    const event = this.#pop();
    if (event === undefined) return false;
    this.#nowUs = event.atUs;
    event.run();
    return true;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent])) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function before(left: Event, right: Event): boolean {
  return left.atUs < right.atUs || (left.atUs === right.atUs && left.order < right.order);
}
