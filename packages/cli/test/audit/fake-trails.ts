/** Trails as nodes write them, made here from the documented format alone, and nodes that answer from them. */
import { createHash } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface FakeRecord {
  readonly seconds: number;
  readonly action?: string;
  readonly outcome?: string;
  readonly user?: string;
  readonly reason?: string;
}

/** Lines without their ends. */
export function trailLines(node: string, records: readonly FakeRecord[]): string[] {
  let prev = "0".repeat(64);
  return records.map((record, at) => {
    const seq = at + 1;
    const time = new Date(Date.UTC(2026, 0, 2) + record.seconds * 1000).toISOString();
    const body = JSON.stringify({
      v: 1,
      seq,
      ts: `${time.slice(0, -1)}000000Z`,
      id: `c-${seq}`,
      chain: "c",
      node: { id: `id-${node}`, name: node },
      category: "auth",
      severity: "info",
      action: at === 0 ? "audit.chain.started" : (record.action ?? "auth.accepted"),
      outcome: record.outcome ?? "success",
      user: record.user ?? null,
      client: { id: 1, addr: "10.0.0.9:1" },
      command: "auth",
      reason: record.reason ?? null,
      before: null,
      after: null,
      alg: "sha256",
      prev,
    }).slice(0, -1);
    prev = createHash("sha256").update(body).digest("hex");
    return `${body},"hash":"${prev}"}`;
  });
}

export function hashOf(line: string): string {
  return line.slice(-66, -2);
}

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const array = (items: readonly string[]): string => `*${items.length}\r\n${items.join("")}`;

/** Nodes of one cluster, each with a trail of its own. */
export class FakeNodes {
  readonly lines = new Map<string, string[]>();
  readonly #servers = new Map<string, Server>();
  readonly #ports = new Map<string, number>();
  readonly #followers = new Map<string, (() => void)[]>();
  readonly #sockets = new Set<Socket>();
  /** Requests by their words. */
  readonly asked: string[] = [];
  password: string | null = null;

  static async start(trails: Readonly<Record<string, readonly FakeRecord[]>>): Promise<FakeNodes> {
    const nodes = new FakeNodes();
    for (const [name, records] of Object.entries(trails)) {
      nodes.lines.set(name, trailLines(name, records));
      await nodes.#listen(name);
    }
    onTestFinished(() => nodes.stop());
    return nodes;
  }

  port(name: string): number {
    return this.#ports.get(name) ?? 0;
  }

  /** Replaces a trail by a longer one; who follows hears of it. */
  extend(name: string, records: readonly FakeRecord[]): void {
    this.lines.set(name, trailLines(name, records));
    for (const wake of this.#followers.get(name)?.splice(0) ?? []) wake();
  }

  get following(): number {
    return [...this.#followers.values()].flat().length;
  }

  async stopOne(name: string): Promise<void> {
    const server = this.#servers.get(name);
    if (server?.listening === true) await new Promise((resolve) => server.close(resolve));
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const name of this.#servers.keys()) await this.stopOne(name);
  }

  async #listen(name: string): Promise<void> {
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      let isIn = this.password === null;
      socket.on("error", () => undefined);
      socket.on("data", (bytes) => {
        for (const words of requests(bytes.toString())) {
          this.asked.push(`${name} ${words.join(" ")}`);
          if (words[0] === "AUTH") isIn = words.at(-1) === this.password;
          if (words[0] === "AUTH") socket.write(isIn ? "+OK\r\n" : "-WRONGPASS no\r\n");
          else if (isIn) this.#answer(name, words, (reply) => socket.write(reply));
          else socket.write("-NOAUTH Authentication required.\r\n");
        }
      });
    });
    this.#servers.set(name, server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#ports.set(name, (server.address() as { readonly port: number }).port);
  }

  #answer(name: string, words: readonly string[], write: (reply: string) => void): void {
    const [first = "", second = "", third = "0"] = words;
    if (first === "PING") return write("+PONG\r\n");
    if (first === "FERRITE.STATUS") return write(this.#status(name));
    const lines = this.lines.get(name) ?? [];
    const above = (): string =>
      array(lines.slice(Number(third), Number(third) + this.#count(words)).map(bulk));
    if (second === "RECENT")
      return write(array(lines.slice(-Number(third)).toReversed().map(bulk)));
    if (second === "SINCE") return write(above());
    if (second === "STATUS") return write(this.#auditStatus());
    if (lines.length > Number(third)) return write(above());
    const followers = this.#followers.get(name) ?? [];
    this.#followers.set(name, followers);
    followers.push(() => this.#answer(name, words, write));
    return undefined;
  }

  /** Small pages, so that there are several. */
  #count(words: readonly string[]): number {
    return words[3] === "COUNT" ? Number(words[4]) : 3;
  }

  #status(name: string): string {
    const members = [...this.lines.keys()].map((member) =>
      array(
        [
          "name",
          member,
          "id",
          `id-${member}`,
          "client_address",
          `127.0.0.1:${this.port(member)}`,
        ].map(bulk),
      ),
    );
    const facts = ["id", `id-${name}`, "cluster_id", "c", "role", "leader", "members"].map(bulk);
    return `*${facts.length + 1}\r\n${facts.join("")}${array(members)}`;
  }

  #auditStatus(): string {
    const anchors = [...this.lines].map(
      ([name, lines]) =>
        `*6\r\n${["node_id", `id-${name}`, "sequence"].map(bulk).join("")}:${lines.length}\r\n` +
        ["head", hashOf(lines.at(-1) ?? "")].map(bulk).join(""),
    );
    return `*2\r\n${bulk("anchors")}${array(anchors)}`;
  }
}

/** Whole requests only: tests send small ones. */
function requests(text: string): string[][] {
  return text
    .split(/(?=\*\d+\r\n\$)/)
    .map((one) => one.split("\r\n").filter((line, at) => at > 0 && at % 2 === 0 && line !== ""))
    .filter((words) => words.length > 0);
}
