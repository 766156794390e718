import { createServer, type Server } from "node:net";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { run } from "../../src/program.ts";
import { LAG_ENTRIES_MAX } from "../../src/status/cluster-report.ts";
import { decodeStatus } from "../../src/status/node-report.ts";
import {
  encodeCommand,
  parseReply,
  RespError,
  type RespValue,
} from "../../src/connection/resp-value.ts";
import { FakeWorld } from "../fixtures/fake-world.ts";

function encode(value: RespValue): string {
  if (value === null) return "$-1\r\n";
  if (typeof value === "number") return `:${value}\r\n`;
  if (typeof value === "string") return `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
  if (value instanceof RespError) return `-${value.text}\r\n`;
  return `*${value.length}\r\n${value.map(encode).join("")}`;
}

interface FakeState {
  role: string;
  leader: string | null;
  applied: number;
  cluster: string;
  password: string | null;
  writeRefusal: string | null;
  /** As FERRITE.STATUS has them; null: a version that does not say. */
  certificates: RespValue;
  atRest: string | null;
}

/** Members that answer FERRITE.STATUS on ports of their own. */
class FakeCluster {
  readonly states = new Map<string, FakeState>();
  readonly servers = new Map<string, Server>();

  static async start(names: readonly string[]): Promise<FakeCluster> {
    const cluster = new FakeCluster();
    for (const name of names) await cluster.add(name);
    onTestFinished(() => cluster.close());
    return cluster;
  }

  port(name: string): number {
    const address = this.servers.get(name)?.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  state(name: string): FakeState {
    return this.states.get(name)!;
  }

  async stop(name: string): Promise<void> {
    const server = this.servers.get(name)!;
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  }

  private async close(): Promise<void> {
    for (const name of this.servers.keys()) await this.stop(name);
  }

  private async add(name: string): Promise<void> {
    const role = this.states.size === 0 ? "leader" : "follower";
    this.states.set(name, {
      role,
      leader: "id-n1",
      applied: 100,
      cluster: "c-1",
      password: null,
      writeRefusal: null,
      certificates: null,
      atRest: null,
    });
    const server = createServer((socket) => {
      let received = "";
      let authenticated = false;
      socket.on("data", (bytes) => {
        received += bytes.toString();
        const { password } = this.state(name);
        if (received.startsWith("*2\r\n$4\r\nAUTH")) {
          authenticated = received.includes(`\r\n${password}\r\n`);
          socket.write(authenticated ? "+OK\r\n" : encode(new RespError("WRONGPASS no")));
        }
        if (!received.includes("FERRITE.STATUS")) return;
        const allowed = password === null || authenticated;
        const reply = encode(
          allowed ? this.status(name) : new RespError("NOAUTH Authentication required."),
        );
        // In two pieces, as a network may cut it.
        socket.write(reply.slice(0, 7));
        socket.write(reply.slice(7));
      });
      socket.on("error", () => undefined);
    });
    this.servers.set(name, server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.addresses.set(name, `127.0.0.1:${this.port(name)}`);
  }

  private readonly addresses = new Map<string, string>();

  private status(name: string): RespValue {
    const { role, leader, applied, cluster, writeRefusal, certificates, atRest } = this.state(name);
    const members = [...this.states.keys()].map((member) =>
      map({
        name: member,
        id: `id-${member}`,
        peer_address: "h:1",
        client_address: this.addresses.get(member)!,
        role: "follower",
        self: 0,
        leader: 0,
        connected: 1,
        match_index: null,
      }),
    );
    return map({
      name,
      id: `id-${name}`,
      cluster_id: cluster,
      role,
      term: 7,
      leader_id: leader,
      write_refusal: writeRefusal,
      commit_index: 100,
      applied_index: applied,
      at_rest: atRest,
      members,
      certificates,
    });
  }
}

/** One use of certificates as FERRITE.STATUS has it. */
function certificate(use: string, changes: Readonly<Record<string, RespValue>> = {}): RespValue {
  return map({
    use,
    subject: "CN=n1",
    serial: "AB",
    fingerprint: "CD",
    valid_until_ms: 2_000_000_000_000,
    days_left: 300,
    authority_valid_until_ms: 2_100_000_000_000,
    revocation_list_next_update_ms: null,
    generation: 1,
    refused: null,
    refused_since_ms: null,
    warnings: [],
    ...changes,
  });
}

/** A map as RESP2 sends it. */
function map(fields: Readonly<Record<string, RespValue>>): RespValue {
  return Object.entries(fields).flatMap(([name, value]) => [name, value]);
}

async function status(
  cluster: FakeCluster,
  name: string,
  ...args: string[]
): Promise<{ code: number; world: FakeWorld }> {
  const world = new FakeWorld();
  const code = await run(["status", "--port", String(cluster.port(name)), ...args], world);
  return { code, world };
}

describe("ferrite status", () => {
  it("shows the whole cluster, whichever node is asked", async () => {
    const cluster = await FakeCluster.start(["n1", "n2", "n3"]);
    const { code, world } = await status(cluster, "n3");
    expect(code).toBe(0);
    expect(world.printed[0]).toBe("Cluster c-1: healthy, n1 leads (term 7)");
    const rows = world.printed.slice(2).map((line) => line.split(/ {2,}/));
    expect(rows[0]).toEqual(["NODE", "ROLE", "REDIS", "TERM", "APPLIED", "LAG", "STATE"]);
    expect(rows.map((row) => row[1])).toEqual(["ROLE", "leader", "follower", "follower"]);
    expect(rows[1]?.slice(-4)).toEqual(["7", "100", "0", "ok"]);
  });

  it("a member that does not answer makes it unhealthy, and is named", async () => {
    const cluster = await FakeCluster.start(["n1", "n2", "n3"]);
    await cluster.stop("n2");
    const { code, world } = await status(cluster, "n1", "--json");
    expect(code).toBe(1);
    const report = JSON.parse(world.output) as {
      healthy: boolean;
      leader: string;
      problems: string[];
    };
    expect(report).toMatchObject({
      healthy: false,
      leader: "n1",
      problems: ["n2: nobody listens there"],
    });
  });

  it("no leader is told first", async () => {
    const cluster = await FakeCluster.start(["n1", "n2"]);
    for (const name of ["n1", "n2"])
      Object.assign(cluster.state(name), { role: "candidate", leader: null });
    const { code, world } = await status(cluster, "n1");
    expect(code).toBe(1);
    expect(world.output).toContain("not healthy, no leader");
    expect(world.output).toContain("knows no leader");
    expect(world.printed.at(-1)).toBe("No leader: writes are refused.");
  });

  it("a member that is far behind is not well, and one at the limit is", async () => {
    const cluster = await FakeCluster.start(["n1", "n2"]);
    cluster.state("n1").applied = 100;
    cluster.state("n2").applied = 100 - LAG_ENTRIES_MAX;
    expect((await status(cluster, "n1")).code).toBe(0);
    cluster.state("n2").applied--;
    const { code, world } = await status(cluster, "n1");
    expect(code).toBe(1);
    expect(world.output).toContain("10001 entries behind");
  });

  it("a member that refuses writes is not well, and says why", async () => {
    const cluster = await FakeCluster.start(["n1", "n2"]);
    cluster.state("n2").writeRefusal = "CLUSTERDOWN the disk is full";
    const { code, world } = await status(cluster, "n1");
    expect(code).toBe(1);
    expect(world.output).toContain("refuses writes: CLUSTERDOWN the disk is full");
  });

  it("an address that another cluster took over is noticed", async () => {
    const cluster = await FakeCluster.start(["n1", "n2"]);
    cluster.state("n2").cluster = "c-2";
    const { code, world } = await status(cluster, "n1");
    expect(code).toBe(1);
    expect(world.output).toContain("another node answers at its address");
  });

  it("shows how long certificates last, the soonest of each node", async () => {
    const cluster = await FakeCluster.start(["n1", "n2"]);
    cluster.state("n1").certificates = [
      certificate("clients"),
      certificate("peers", { days_left: 90 }),
    ];
    const { code, world } = await status(cluster, "n1");
    expect(code).toBe(0);
    const rows = world.printed.slice(2).map((line) => line.trim().split(/ {2,}/));
    expect(rows[0]).toContain("CERTS");
    expect(rows.map((row) => row.at(-2))).toEqual(["CERTS", "90d", "-"]);
  });

  it("(S33) warns of what ends soon, and is not well with what has ended or is refused", async () => {
    const cluster = await FakeCluster.start(["n1", "n2"]);
    const warnings = ["the list is \u001b[31mstale"];
    cluster.state("n2").certificates = [certificate("peers", { days_left: 29, warnings })];
    const soon = await status(cluster, "n1");
    expect(soon.code).toBe(0);
    expect(soon.world.output).toContain(
      "Warning: n2: its certificate for peers (CN=n1) has 29 days left",
    );
    expect(soon.world.output).toContain("Warning: n2: peers: the list is ?[31mstale");
    cluster.state("n2").certificates = [certificate("peers", { days_left: 30 })];
    expect((await status(cluster, "n1")).world.output).not.toContain("Warning");
    const authority = {
      days_left: 300,
      authority_valid_until_ms: 2_000_000_000_000 - 280 * 86_400_000,
    };
    cluster.state("n2").certificates = [certificate("clients", authority)];
    expect((await status(cluster, "n1")).world.output).toContain(
      "its authority for clients has 20 days left",
    );
    cluster.state("n2").certificates = [certificate("clients", { days_left: -1 })];
    const ended = await status(cluster, "n1");
    expect(ended.code).toBe(1);
    expect(ended.world.output).toContain("its certificate for clients has expired");
    const refused = "The key does not belong to the certificate.";
    cluster.state("n2").certificates = [certificate("clients", { refused })];
    const bad = await status(cluster, "n1", "--json");
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.world.output)).toMatchObject({
      problems: [`n2: new files for clients are not used: ${refused}`],
      members: [{}, { certificates: [{ use: "clients", refused, daysLeft: 300 }] }],
    });
  });

  it("(S40) shows how data is kept where it is encrypted, and names who does not", async () => {
    const cluster = await FakeCluster.start(["n1", "n2"]);
    cluster.state("n1").atRest = "plain";
    cluster.state("n2").atRest = "plain";
    expect((await status(cluster, "n1")).world.output).not.toContain("AT REST");
    cluster.state("n2").atRest = "rewriting, 4096 bytes left";
    const { code, world } = await status(cluster, "n1");
    expect(code).toBe(0);
    expect(world.output).toContain("AT REST");
    expect(world.output).toContain("rewriting, 4096 bytes left");
    expect(world.output).toContain("Warning: n1: keeps its data in the clear, unlike others");
  });

  it("takes the password from REDISCLI_AUTH or a flag, and says when one is needed or wrong", async () => {
    const cluster = await FakeCluster.start(["n1"]);
    cluster.state("n1").password = "sesame";
    const bare = await status(cluster, "n1");
    expect([bare.code, bare.world.errors]).toEqual([
      1,
      expect.stringContaining("a password is needed"),
    ]);
    const wrong = await status(cluster, "n1", "--password", "x");
    expect([wrong.code, wrong.world.errors]).toEqual([
      1,
      expect.stringContaining("the password is wrong"),
    ]);
    expect((await status(cluster, "n1", "--password", "sesame")).code).toBe(0);
    const world = new FakeWorld();
    world.environment = { REDISCLI_AUTH: "sesame" };
    expect(await run(["status", "--port", String(cluster.port("n1"))], world)).toBe(0);
  });

  it("nobody at the address is one clear message", async () => {
    const cluster = await FakeCluster.start(["n1"]);
    const port = cluster.port("n1");
    await cluster.stop("n1");
    const world = new FakeWorld();
    expect(await run(["status", "--port", String(port)], world)).toBe(1);
    expect(world.errors).toBe(`ferrite: 127.0.0.1:${port}: nobody listens there`);
  });

  it.each<[string, string | null, string]>([
    ["never answers", null, "no answer within 50 ms"],
    [
      "speaks something else",
      "HTTP/1.1 400 Bad Request\r\n\r\n",
      "the answer is not in the Redis protocol",
    ],
    ["is another server", "-ERR unknown command 'FERRITE.STATUS'\r\n", "this is no Ferrite node"],
    ["answers without end", `$2000000\r\n${"x".repeat(1_100_000)}`, "the answer is too large"],
    ["says nothing of use", "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "in a form this version does not know"],
  ])("a server that %s is told apart", async (_name, answer, message) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      if (answer !== null) socket.write(answer);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const world = new FakeWorld();
    const timeout = answer === null ? "50" : "5000";
    expect(await run(["status", "--port", String(port), "--timeout", timeout], world)).toBe(1);
    expect(world.errors).toContain(message);
  });

  it.each([
    ["--port", "0"],
    ["--port", "65536"],
    ["--timeout", "x"],
  ])("refuses %s %s", async (flag, value) => {
    const world = new FakeWorld();
    expect(await run(["status", flag, value], world)).toBe(1);
    expect(world.errors).toContain("It must be a whole number");
  });
});

describe("reading replies", () => {
  const value: fc.Memo<RespValue> = fc.memo((depth) =>
    depth <= 1
      ? fc.oneof(fc.string(), fc.integer(), fc.constant(null))
      : fc.oneof(
          fc.string(),
          fc.integer(),
          fc.constant(null),
          fc.array(value(depth - 1), { maxLength: 5 }),
        ),
  );

  it("any value comes back whole, and never from a part of it", () => {
    fc.assert(
      fc.property(value(3), (sent) => {
        const bytes = Buffer.from(encode(sent));
        expect(parseReply(bytes)).toEqual({ value: sent, end: bytes.length });
        for (let end = 0; end < bytes.length; end++)
          expect(parseReply(bytes.subarray(0, end))).toBeNull();
      }),
    );
  });

  it.each(["?\r\n", "*99999999\r\n", ":abc\r\n", "*1\r\n".repeat(20)])("refuses %j", (text) => {
    expect(() => parseReply(Buffer.from(text))).toThrow(/^the answer is /);
  });

  it("writes commands as arrays of bulk strings", () => {
    expect(encodeCommand(["AUTH", "ä"])).toBe("*2\r\n$4\r\nAUTH\r\n$2\r\nä\r\n");
  });

  it("a status is never read from anything else", () => {
    fc.assert(
      fc.property(value(3), (sent) => {
        expect(decodeStatus(sent)).toBeNull();
      }),
    );
  });
});
