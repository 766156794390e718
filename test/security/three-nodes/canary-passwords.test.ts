/**
 * Passwords come in through every door that takes one. Afterwards they are in no file, no log, no answer, no traffic
 * between nodes, and not in the memory of threads and nodes that had no business with them; neither is a fast hash of
 * them, which would be as good to guess from (S13, F19, F101, D2).
 */
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster, report, until } from "../../e2e/harness/cluster.ts";
import { RawClient } from "../../e2e/harness/raw-client.ts";
import { RecordingProxy } from "../../e2e/harness/recording-proxy.ts";
import { RespError, type RespClient, type RespValue } from "../../e2e/harness/resp-client.ts";
import { Canaries } from "./support/canaries.ts";
import { forEachPiece, isMemoryReadable } from "./support/process-memory.ts";

const NODES = [0, 1, 2];
const PRELOAD = fileURLToPath(new URL("support/heap-snapshots.cjs", import.meta.url));
const WRITES = 1500;
/** What must be found, or the search finds nothing at all. */
const BAIT = "bait-that-may-be-found-everywhere";
/** The main thread keeps the configuration that is in force: what the node was started with, and its CONFIG SET. */
const OWN_CONFIGURATION =
  /^(requirepass-file|requirepass-environment|config-set|cluster-token) \(plain\) in the heap of main\./;

const canaries = new Canaries();
const proxies: RecordingProxy[] = [];
let cluster: TestCluster;
let heaps: string;
/** Of the default user. */
let password: string;
/** The node that is told all of them. */
let told: number;
let administrator: RespClient;

const inFile = canaries.password("requirepass-file");
const inEnvironment = canaries.password("requirepass-environment");
const token = canaries.secret("cluster-token");

beforeAll(async () => {
  cluster = await TestCluster.prepare({
    settings: {
      "password-hash-iterations": "1000",
      "snapshot-log-bytes": "256kb",
      "audit-anchor-interval-ms": "1000",
      "audit-stdout": "yes",
      "audit-keys": "names",
      loglevel: "debug",
    },
    peerAddress: async (node) => {
      const proxy = await RecordingProxy.before(node.peerPort);
      proxies.push(proxy);
      return `127.0.0.1:${proxy.port}`;
    },
    environmentOf: (name): Record<string, string> => ({
      NODE_OPTIONS: `--require=${PRELOAD}`,
      HEAP_DIRECTORY: join(cluster.directory, "heaps", name),
      FERRITE_CLUSTER_TOKEN: token,
      ...(name === "node1" ? { FERRITE_CONFIG: join(cluster.directory, "node1.conf") } : {}),
      ...(name === "node2" ? { FERRITE_REQUIREPASS: inEnvironment } : {}),
    }),
  });
  heaps = join(cluster.directory, "heaps");
  for (const node of cluster.nodes) mkdirSync(join(heaps, node.name), { recursive: true });
  writeFileSync(join(cluster.directory, "node1.conf"), `requirepass ${inFile}\n`, { mode: 0o600 });
  for (const node of NODES) cluster.spawn(node);
  await Promise.all(NODES.map((node) => cluster.ready(node)));
  told = 2;
  administrator = await cluster.client(told);
});
afterAll(async () => {
  administrator?.close();
  await cluster?.close();
  await Promise.all(proxies.map((proxy) => proxy.close()));
});

function errorText(reply: RespValue): string {
  return reply instanceof RespError ? reply.text : `no error: ${JSON.stringify(reply)}`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function ok(...words: readonly string[]): Promise<void> {
  expect(await administrator.call(...words)).toBe("OK");
}

/** A connection of its own that nobody has logged in on. */
async function stranger(...commands: readonly (readonly string[])[]): Promise<string[]> {
  const client = await cluster.client(told);
  const replies = await Promise.all(client.pipeline(commands));
  client.close();
  return replies.map(errorText);
}

async function logIn(name: string, secret: string): Promise<void> {
  const client = await cluster.client(told);
  expect(await client.call("AUTH", name, secret), name).toBe("OK");
  client.close();
}

describe("passwords that are right", () => {
  it("of the configuration: one of them is the cluster's", async () => {
    const replies = await stranger(["AUTH", inFile], ["AUTH", inEnvironment]);
    expect(replies.filter((reply) => reply === 'no error: "OK"')).toHaveLength(1);
    password = replies[0].startsWith("no error") ? inFile : inEnvironment;
    await ok("AUTH", password);
  });

  it("of users: given as they are, as SHA-256, removed again", async () => {
    const plain = canaries.password("setuser");
    const second = canaries.password("setuser-second");
    const hashed = canaries.password("setuser-hash");
    await ok("ACL", "SETUSER", "plain", "on", `>${plain}`, `>${second}`, "~*", "+@all");
    await ok("ACL", "SETUSER", "hashed", "on", `#${sha256(hashed)}`, "~*", "+@all");
    await logIn("plain", plain);
    await logIn("plain", second);
    await logIn("hashed", hashed);
    await ok("ACL", "SETUSER", "plain", `<${second}`);
    await ok("ACL", "SETUSER", "hashed", `!${sha256(hashed)}`, `>${hashed}`);
    await logIn("hashed", hashed);
    expect(await stranger(["HELLO", "2", "AUTH", "plain", plain])).not.toContain("WRONGPASS");
  });

  it("of the default user, by CONFIG SET requirepass", async () => {
    password = canaries.password("config-set");
    await ok("CONFIG", "SET", "requirepass", password);
    await ok("AUTH", password);
    await ok("AUTH", "default", password);
    expect(errorText(await administrator.call("CONFIG", "GET", "requirepass"))).not.toContain(
      "canary",
    );
  });

  it("of the ACL file, by ACL LOAD, which ACL SAVE then writes anew", async () => {
    const loaded = canaries.password("acl-file");
    const file = join(cluster.nodes[told].dataDir, "acl.conf");
    await ok("ACL", "SAVE");
    const lines = readFileSync(file, "utf8");
    writeFileSync(file, `${lines}user loaded on #${sha256(loaded)} ~* +@all\n`);
    chmodSync(file, 0o600);
    await ok("ACL", "LOAD");
    await ok("AUTH", password);
    await logIn("loaded", loaded);
    await ok("ACL", "SAVE");
    expect(readFileSync(file, "utf8")).toMatch(/^user loaded .*#pbkdf2/m);
  });

  it("of a file that is refused because they stand there in plain", async () => {
    const file = join(cluster.nodes[told].dataDir, "acl.conf");
    const good = readFileSync(file);
    const plain = canaries.password("acl-file-plain");
    writeFileSync(file, `user default on nopass ~* +@all\nuser x on >${plain}\n`);
    const text = errorText(await administrator.call("ACL", "LOAD"));
    expect(text).toMatch(/acl\.conf:2: /);
    expect(canaries.in(text, "the error")).toEqual([]);
    writeFileSync(file, good);
  });
});

describe("passwords that are wrong, or at a wrong place", () => {
  it("in AUTH and HELLO", async () => {
    const wrong = canaries.password("wrong");
    const replies = await stranger(
      ["AUTH", wrong],
      ["AUTH", "plain", wrong],
      ["AUTH", "nobody", wrong],
      ["HELLO", "3", "AUTH", "plain", wrong, "SETNAME", "wrong"],
      ["AUTH", "plain", wrong, wrong],
    );
    for (const reply of replies.slice(0, 4)) expect(reply).toMatch(/^WRONGPASS /);
    expect(replies[4]).toMatch(/^ERR /);
    expect(canaries.in(replies.join("\n"), "the errors")).toEqual([]);
  });

  it("typed by hand, and in a command that is none", async () => {
    const typed = canaries.password("inline");
    const client = await RawClient.connect(cluster.nodes[told].port);
    await client.send(`AUTH plain ${typed}\r\n`);
    await client.receives("-WRONGPASS");
    await client.send(`AUHT plain ${typed}\r\n`);
    await client.receives("-ERR unknown command");
    client.close();
  });

  it("in rules that are refused", async () => {
    const refused = canaries.password("refused-rule");
    const texts: string[] = [];
    for (const rules of [
      ["on", `>${refused}`, "nonsense"],
      [`<${refused}`],
      [`!${sha256(refused)}`],
      [`#${refused}`],
      [`>${refused}`, "+nosuchcommand"],
    ]) {
      texts.push(errorText(await administrator.call("ACL", "SETUSER", "plain", ...rules)));
    }
    for (const text of texts) expect(text).toMatch(/^ERR Error in ACL SETUSER modifier/);
    // Redis names the rule that is wrong, and so its client sees what it has sent; the trail and the log do not.
  });

  it("from who may not, and from who has not logged in", async () => {
    const denied = canaries.password("denied");
    const asStranger = await stranger(
      ["ACL", "SETUSER", "x", `>${denied}`],
      ["CONFIG", "SET", "requirepass", denied],
    );
    for (const text of asStranger) expect(text).toMatch(/^NOAUTH /);
    const secret = canaries.password("limited");
    await ok("ACL", "SETUSER", "limited", "on", `>${secret}`, "+get", "~*");
    const asLimited = await stranger(
      ["AUTH", "limited", secret],
      ["ACL", "SETUSER", "x", `>${denied}`],
      ["CONFIG", "SET", "requirepass", denied],
      ["AUTH", "limited", denied],
    );
    expect(asLimited.slice(1, 3).every((text) => text.startsWith("NOPERM "))).toBe(true);
  });

  it("in questions about rules", async () => {
    const asked = canaries.password("asked");
    await administrator.call("ACL", "DRYRUN", "limited", "AUTH", "limited", asked);
    await administrator.call("ACL", "DRYRUN", "limited", "CONFIG", "SET", "requirepass", asked);
    await administrator.call("ACL", "EXPLAIN", "limited", "ACL", "SETUSER", "x", `>${asked}`);
  });
});

describe("afterwards", () => {
  beforeAll(async () => {
    await ok("SET", "bait", BAIT);
    await administrator.call("CLIENT", "SETNAME", BAIT);
    await stranger(["AUTH", BAIT, "wrong"]);
    for (let first = 0; first < WRITES; first += 100) {
      const writes = Array.from({ length: 100 }, (_, at) => [
        "SET",
        `w:${first + at}`,
        "x".repeat(500),
      ]);
      await Promise.all(administrator.pipeline(writes));
    }
    await until("a snapshot was taken", async () => {
      const status = await administrator.call("FERRITE.STATUS");
      const facts = status as readonly RespValue[];
      return Number(facts[facts.indexOf("snapshot_index") + 1]) > 0;
    });
  });

  it("none of them is in an answer of any node, nor in its metrics (S13, F19)", async () => {
    let baits = 0;
    for (const node of NODES) {
      const client = await cluster.client(node);
      expect(await client.call("AUTH", password)).toBe("OK");
      const answers = client.pipeline([
        ["INFO", "everything"],
        ["CONFIG", "GET", "*"],
        ["CLIENT", "LIST"],
        ["ACL", "LIST"],
        ["ACL", "LOG"],
        ["ACL", "USERS"],
        ...["default", "plain", "hashed", "loaded", "limited"].map((name) => [
          "ACL",
          "GETUSER",
          name,
        ]),
        ["FERRITE.AUDIT", "RECENT", "1000"],
        ["FERRITE.STATUS"],
        ["COMMAND", "LIST"],
      ]);
      const text = JSON.stringify(
        (await Promise.all(answers)).map((reply) =>
          reply instanceof RespError ? reply.text : reply,
        ),
      );
      client.close();
      const metrics = await fetch(`http://127.0.0.1:${cluster.nodes[node].httpPort}/metrics`);
      expect(canaries.in(text, `answers of node${node + 1}`)).toEqual([]);
      expect(canaries.in(await metrics.text(), `metrics of node${node + 1}`)).toEqual([]);
      if (text.includes(BAIT)) baits++;
    }
    expect(baits).toBeGreaterThan(0);
  });

  it("none of them is in the traffic between the nodes (F101, D2)", () => {
    const recorded = Buffer.concat(proxies.map((proxy) => proxy.recorded));
    expect(recorded.length).toBeGreaterThan(WRITES * 500);
    expect(canaries.in(recorded, "the traffic")).toEqual([]);
    expect(recorded.includes(BAIT)).toBe(false);
  });

  it("none of them is in the heap of the log's thread, nor in that of any other but for the configuration (F101)", async () => {
    for (const node of NODES) process.kill(cluster.pid(node), "SIGUSR2");
    await until("heap snapshots are written", () =>
      cluster.nodes.every(({ name }) => existsSync(join(heaps, name, "main.heapsnapshot"))),
    );
    const found: string[] = [];
    const kinds = new Set<string>();
    for (const node of cluster.nodes) {
      for (const name of readdirSync(join(heaps, node.name))) {
        const bytes = readFileSync(join(heaps, node.name, name));
        kinds.add(name);
        // The search would find something: a thread knows its own file.
        expect(bytes.includes(name.replace(".heapsnapshot", ""))).toBe(true);
        found.push(...canaries.in(bytes, `the heap of ${name} of ${node.name}`));
      }
    }
    expect([...kinds].sort()).toEqual([
      "hashing-worker.js.heapsnapshot",
      "log-worker.js.heapsnapshot",
      "main.heapsnapshot",
    ]);
    expect(found.filter((each) => !OWN_CONFIGURATION.test(each))).toEqual([]);
  });

  it("none of those that one node was told is in the memory of another (F101)", () => {
    const other = 0;
    const pid = cluster.pid(other);
    if (!isMemoryReadable(pid)) {
      report("the memory of other processes can not be read here: skipped");
      return;
    }
    const found = new Set<string>();
    let hasBait = false;
    const bytes = forEachPiece(pid, (piece) => {
      for (const each of canaries.in(piece, "the memory of node1")) found.add(each);
      hasBait ||= piece.includes(BAIT);
    });
    report(`searched ${Math.round(bytes / 1024 ** 2)} MiB of memory of a node that was not told`);
    expect(hasBait).toBe(true);
    // What it was started with is in its memory in more forms than strings.
    const own = /^(requirepass-file|cluster-token) /;
    expect([...found].filter((each) => !own.test(each))).toEqual([]);
  });

  it("none of them is in a file of any node, also when they have stopped: log, snapshots, ACL file, trail, output (S13, F101, D2)", async () => {
    administrator.close();
    await Promise.all(NODES.map((node) => cluster.end(node, "SIGTERM")));
    const own = [join(cluster.directory, "node1.conf"), heaps];
    const isLookedAt = (path: string): boolean => !own.some((each) => path.startsWith(each));
    expect(canaries.below(cluster.directory, isLookedAt)).toEqual([]);
    const places = cluster.nodes.map(({ dataDir }) => dataDir);
    const bait = new Canaries();
    bait.bait(BAIT);
    for (const place of places) expect(bait.below(place).length).toBeGreaterThan(1);
    expect(bait.below(join(places[told], "audit")).length).toBeGreaterThan(0);
    // The configuration is where this one was put.
    expect(canaries.below(cluster.directory)).toContain(
      `requirepass-file (plain) in ${join(cluster.directory, "node1.conf")}`,
    );
  });
});
