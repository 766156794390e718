/**
 * Takes a user's rights away on one node while it works on all of them, and looks that nothing of it succeeds anywhere
 * that was sent after the OK; gives them back on another node, and again.
 */
import { randomUUID } from "node:crypto";
import type { TestCluster } from "../../../e2e/harness/cluster.ts";
import { RespError, type RespClient } from "../../../e2e/harness/resp-client.ts";
import { Ledger, type Ban } from "./ledger.ts";
import { Progress } from "./progress.ts";
import { UserClient, type Credentials } from "./user-client.ts";

export const CREDENTIALS: Credentials = { user: "worker", password: "worker-password" };

/** Rules that let the load work; the second names what it needs, the first is everything. */
const GRANTS: readonly (readonly string[])[] = [
  ["reset", "on", `>${CREDENTIALS.password}`, "~*", "+@all"],
  ["reset", "on", `>${CREDENTIALS.password}`, "~load:*", "+get", "+set"],
];

export interface Revocation extends Ban {
  readonly words: readonly string[];
}

/** The four ways, in turn. */
export const REVOCATIONS: readonly Revocation[] = [
  { what: "DELUSER", words: ["ACL", "DELUSER", CREDENTIALS.user], forbidsLogin: true },
  { what: "off", words: ["ACL", "SETUSER", CREDENTIALS.user, "off"], forbidsLogin: true },
  { what: "-@all", words: ["ACL", "SETUSER", CREDENTIALS.user, "-@all"], forbidsLogin: false },
  {
    what: "resetkeys",
    words: ["ACL", "SETUSER", CREDENTIALS.user, "resetkeys"],
    forbidsLogin: false,
  },
];

/** A part of a pipeline of reads and writes. */
const MIXED_BATCH = Array.from({ length: 16 }, (_, at) => (at % 2 === 0 ? "read" : "write"));
/** What each client must have seen of either kind in a round. */
const BATCHES_BEFORE = 1;
const REFUSALS_AFTER = 2;
const KEYS_PER_CALL = 1000;

export interface LoadShape {
  readonly name: string;
  readonly batch: readonly ("read" | "write")[];
}

const MIXED_LOAD: readonly LoadShape[] = [
  { name: "a", batch: MIXED_BATCH },
  { name: "b", batch: MIXED_BATCH },
];

export class Revocations {
  readonly ledger = new Ledger();
  readonly #cluster: TestCluster;
  readonly #clients: readonly (readonly UserClient[])[];
  readonly #progress = new Progress();
  #rounds = 0;

  /** Begins to send as a user that is not there yet. On every node one client of each shape. */
  constructor(cluster: TestCluster, shapes: readonly LoadShape[] = MIXED_LOAD) {
    this.#cluster = cluster;
    // Several tests share a cluster: what one has written must not be found by the next.
    const run = randomUUID();
    this.#clients = cluster.nodes.map(({ name, port }) =>
      shapes.map(
        (shape) =>
          new UserClient({
            port,
            credentials: CREDENTIALS,
            ledger: this.ledger,
            name: `${name}:${shape.name}`,
            keyPrefix: `load:${run}:${name}:${shape.name}`,
            batch: shape.batch,
            onProgress: () => this.#progress.changed(),
          }),
      ),
    );
  }

  get clients(): readonly UserClient[] {
    return this.#clients.flat();
  }

  clientsOn(nodes: readonly number[]): readonly UserClient[] {
    return nodes.flatMap((node) => this.#clients[node]);
  }

  /** Lets the user work, and waits until it does on all nodes. */
  async grant(administrator: RespClient): Promise<void> {
    await Promise.all(this.clients.map((client) => client.pause()));
    this.ledger.pardoned();
    const rules = GRANTS[this.#rounds++ % GRANTS.length];
    expectOk(await administrator.call("ACL", "SETUSER", CREDENTIALS.user, ...rules));
    for (const client of this.clients) client.mark();
    for (const client of this.clients) client.resume();
    await this.workOn(this.#cluster.nodes.map(({ index }) => index));
  }

  /** Waits until every client on these nodes has done what it wants to. */
  async workOn(nodes: readonly number[]): Promise<void> {
    await this.#progress.until(
      "batches before the revocation",
      this.clientsOn(nodes),
      (client) => client.succeeded >= BATCHES_BEFORE,
    );
  }

  /**
   * To be called in the moment in which the answer to the revocation is seen. `cut` can not know of it, and may go on
   * for a while.
   */
  revoked(
    revocation: Revocation,
    cut: { readonly node: number; readonly graceMs: number } | null = null,
  ): void {
    const clientsOfCut = cut === null ? null : `${this.#cluster.nodes[cut.node].name}:`;
    this.ledger.revoked(revocation, (client) => {
      return cut !== null && client.startsWith(clientsOfCut!) ? cut.graceMs : 0;
    });
    for (const client of this.clients) client.mark();
  }

  /** Waits until every client on these nodes has been refused what it sent afterwards. */
  async refusedOn(nodes: readonly number[]): Promise<void> {
    await this.#progress.until(
      "refusals after the revocation",
      this.clientsOn(nodes),
      (client) => client.refused >= REFUSALS_AFTER,
    );
  }

  /** One revocation: as many words as it takes until a node has answered OK. */
  async revoke(administrator: RespClient, revocation: Revocation): Promise<void> {
    const reply = await administrator.call(...revocation.words);
    this.revoked(revocation);
    expectOk(reply);
  }

  /** Nothing is sent any more: what was acknowledged is there, and nothing that was sent after a revocation. */
  async checkState(administrator: RespClient): Promise<void> {
    await Promise.all(this.clients.map((client) => client.pause()));
    const { ledger } = this;
    await administrator.call("FERRITE.CONSISTENCY", "linearizable");
    const acknowledged = ledger.acknowledgedKeys;
    const missing = await presenceOf(administrator, acknowledged, false);
    if (missing.length > 0) {
      throw new Error(
        `of ${acknowledged.length} acknowledged writes ${missing.length} are not there: ${missing[0]}`,
      );
    }
    const forbidden = [...ledger.forbidden.keys()].slice(-KEYS_PER_CALL);
    for (const key of await presenceOf(administrator, forbidden, true)) {
      ledger.violations.push(`${key} is there and was sent ${ledger.forbidden.get(key)}`);
    }
    ledger.acknowledgedKeys = [];
  }

  /** All writes of all rounds that must not be there and are, as one node sees it now. */
  async forbiddenWrites(administrator: RespClient): Promise<string[]> {
    await administrator.call("FERRITE.CONSISTENCY", "linearizable");
    const { forbidden } = this.ledger;
    const found = await presenceOf(administrator, [...forbidden.keys()], true);
    return found.map((key) => `${key}, sent ${forbidden.get(key)}`);
  }

  async end(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.end()));
  }

  summary(): string {
    const { succeeded, refused, lost, forbidden, violations, refusals } = this.ledger;
    const texts = [...refusals].map(([text, count]) => `${count} x ${text}`).join("; ");
    return (
      `${succeeded} commands succeeded while allowed; after an OK ${refused} were refused and ${lost} lost with their ` +
      `connection, ${forbidden.size} of them writes; ${violations.length} violations (${texts})`
    );
  }
}

/** @throws Error when the reply is neither OK nor a number of users */
export function expectOk(reply: unknown): void {
  if (reply === "OK" || typeof reply === "number") return;
  throw new Error(`not OK: ${reply instanceof RespError ? reply.text : JSON.stringify(reply)}`);
}

/** Those of the keys that are there, or are not. */
async function presenceOf(
  client: RespClient,
  keys: readonly string[],
  isThere: boolean,
): Promise<string[]> {
  const found: string[] = [];
  for (let first = 0; first < keys.length; first += KEYS_PER_CALL) {
    const asked = keys.slice(first, first + KEYS_PER_CALL);
    const values = await client.call("MGET", ...asked);
    if (!Array.isArray(values)) throw new Error(`MGET: ${JSON.stringify(values)}`);
    found.push(...asked.filter((_, at) => (values[at] !== null) === isThere));
  }
  return found;
}
