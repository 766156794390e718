/** Numbered messages from each node to each other one, all the time: whatever is lost or overtakes is found. */
import type { Happenings, TestNode } from "./peer-fixture.ts";

const INTERVAL_MS = 2;
/** Large ones in between, which are sent in pieces, so that links are not always empty when something happens to them. */
const LARGE_EVERY = 20;
const LARGE_BYTES = 300_000;

export class MessageFlow {
  readonly #nodes: readonly TestNode[];
  readonly #happenings: Happenings;
  #timer: NodeJS.Timeout | null = null;
  #sent = 0;
  /** Messages that a node could not send. */
  refused = 0;

  constructor(nodes: readonly TestNode[], happenings: Happenings) {
    this.#nodes = nodes;
    this.#happenings = happenings;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#sendRound();
    }, INTERVAL_MS);
  }

  /** Rounds that were sent until now. */
  get sent(): number {
    return this.#sent;
  }

  /** Ends it, and waits until everything has arrived. Gives what arrived wrong: an empty list when all is well. */
  async finish(): Promise<readonly string[]> {
    if (this.#timer !== null) clearInterval(this.#timer);
    const expected = this.#sent * (this.#nodes.length - 1);
    await this.#happenings.until(() =>
      this.#nodes.every((node) => node.received.length >= expected),
    );
    return this.#nodes.flatMap((node) => this.#faults(node));
  }

  #sendRound(): void {
    const round = this.#sent++;
    for (const from of this.#nodes) {
      for (const to of this.#nodes) {
        if (from === to) continue;
        const { id } = to.identity;
        const isLarge = round % LARGE_EVERY === 0;
        const large = Buffer.alloc(LARGE_BYTES);
        large.writeUInt32LE(round);
        const sent = isLarge
          ? from.network.send(id, { kind: "forward", batch: large })
          : from.network.send(id, { kind: "copiesAnswer", requestId: round, count: 1 });
        if (!sent) this.refused++;
      }
    }
  }

  #faults(node: TestNode): readonly string[] {
    const others = this.#nodes.filter((other) => other !== node);
    return others.flatMap(({ identity }) => {
      const rounds = node.received
        .filter((received) => received.from === identity.id)
        .map(({ payload }) => {
          if (payload.kind === "copiesAnswer") return payload.requestId;
          if (payload.kind === "forward") return Buffer.from(payload.batch).readUInt32LE();
          return -1;
        });
      const wrong = rounds.findIndex((round, i) => round !== i);
      const path = `${identity.name} -> ${node.identity.name}`;
      if (wrong >= 0) return [`${path}: ${rounds[wrong]} in place of ${wrong}`];
      return rounds.length === this.#sent ? [] : [`${path}: ${rounds.length} of ${this.#sent}`];
    });
  }
}
