/** Which transaction must have come before which, and why; and the cycles in that. */

/**
 * ww: its write was overwritten by the other's. wr: what it wrote the other read. rw: what it read the other overwrote.
 * rt: it was over before the other began.
 */
export type DependencyKind = "ww" | "wr" | "rw" | "rt";

export interface Dependency {
  readonly from: number;
  readonly to: number;
  readonly kind: DependencyKind;
  /** What it was about, for people. */
  readonly key: string;
}

export class DependencyGraph {
  readonly #out: Map<number, Dependency[]> = new Map();

  add(dependency: Dependency): void {
    const { from, to } = dependency;
    if (from === to) return;
    const out = this.#out.get(from);
    if (out === undefined) this.#out.set(from, [dependency]);
    else out.push(dependency);
  }

  /**
   * For each strongly connected part of the graph with these kinds of dependencies only, a shortest cycle through one of them for
   * which `wanted` is true; parts without such a cycle are left out.
   */
  cycles(
    kinds: ReadonlySet<DependencyKind>,
    wanted: (cycle: readonly Dependency[]) => boolean,
  ): (readonly Dependency[])[] {
    const found: (readonly Dependency[])[] = [];
    for (const part of this.#components(kinds)) {
      const cycle = this.#cycleIn(part, kinds, wanted);
      if (cycle !== null) found.push(cycle);
    }
    return found;
  }

  #edges(from: number, kinds: ReadonlySet<DependencyKind>): readonly Dependency[] {
    return (this.#out.get(from) ?? []).filter(({ kind }) => kinds.has(kind));
  }

  #cycleIn(
    part: ReadonlySet<number>,
    kinds: ReadonlySet<DependencyKind>,
    wanted: (cycle: readonly Dependency[]) => boolean,
  ): readonly Dependency[] | null {
    for (const from of part) {
      for (const first of this.#edges(from, kinds)) {
        if (!part.has(first.to)) continue;
        const rest = this.#shortestPath(first.to, from, { part, kinds });
        if (rest === null) continue;
        const cycle = [first, ...rest];
        if (wanted(cycle)) return cycle;
      }
    }
    return null;
  }

  /** Breadth first. */
  #shortestPath(
    from: number,
    to: number,
    within: { readonly part: ReadonlySet<number>; readonly kinds: ReadonlySet<DependencyKind> },
  ): readonly Dependency[] | null {
    const cameBy = new Map<number, Dependency>();
    const queue = [from];
    for (const at of queue) {
      if (at === to) break;
      for (const edge of this.#edges(at, within.kinds)) {
        if (!within.part.has(edge.to) || edge.to === from || cameBy.has(edge.to)) continue;
        cameBy.set(edge.to, edge);
        queue.push(edge.to);
      }
    }
    const path: Dependency[] = [];
    for (let at = to; at !== from;) {
      const edge = cameBy.get(at);
      if (edge === undefined) return null;
      path.unshift(edge);
      at = edge.from;
    }
    return path;
  }

  /** Tarjan's algorithm, without recursion: histories are long. Parts of one transaction are left out. */
  #components(kinds: ReadonlySet<DependencyKind>): ReadonlySet<number>[] {
    const parts: ReadonlySet<number>[] = [];
    const order = new Map<number, number>();
    const low = new Map<number, number>();
    const stack: number[] = [];
    const onStack = new Set<number>();
    for (const root of this.#out.keys()) {
      if (order.has(root)) continue;
      const work: { readonly at: number; readonly edges: readonly Dependency[]; next: number }[] =
        [];
      const enter = (at: number): void => {
        order.set(at, order.size);
        low.set(at, order.get(at)!);
        stack.push(at);
        onStack.add(at);
        work.push({ at, edges: this.#edges(at, kinds), next: 0 });
      };
      enter(root);
      for (let frame = work.at(-1); frame !== undefined; frame = work.at(-1)) {
        const edge = frame.edges[frame.next++];
        if (edge !== undefined) {
          if (!order.has(edge.to)) enter(edge.to);
          else if (onStack.has(edge.to))
            low.set(frame.at, Math.min(low.get(frame.at)!, order.get(edge.to)!));
          continue;
        }
        work.pop();
        const above = work.at(-1);
        if (above !== undefined)
          low.set(above.at, Math.min(low.get(above.at)!, low.get(frame.at)!));
        if (low.get(frame.at) !== order.get(frame.at)) continue;
        const part = new Set<number>();
        for (let at = stack.pop()!; ; at = stack.pop()!) {
          onStack.delete(at);
          part.add(at);
          if (at === frame.at) break;
        }
        if (part.size > 1) parts.push(part);
      }
    }
    return parts;
  }
}
