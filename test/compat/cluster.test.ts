/**
 * A real cluster of three and a real redis-server, the same requests over TCP, every raw reply compared: through each
 * node, through all nodes in turn, pipelined, typed, broken. COMPAT_SEEDS=n runs more.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createCommandTable, FORESEEN_COMMANDS } from "@ferrite/node/simulation";
import { readReply } from "../../packages/node/test/commands/reply-tree.ts";
import { report, TestCluster } from "../e2e/harness/cluster.ts";
import { freePorts } from "../e2e/harness/free-ports.ts";
import { ABSENT_COMMANDS, ABSENT_SUBCOMMANDS } from "./cluster-absent.ts";
import { EdgeGenerator } from "./cluster-edge-generator.ts";
import { explainClusterDifference } from "./cluster-explained.ts";
import { openRotating, typed } from "./cluster-sessions.ts";
import {
  BROKEN_STREAMS,
  converse,
  ENDING_STREAMS,
  isCutByReset,
  PASSWORD_STREAMS,
  TYPED_STREAMS,
} from "./cluster-streams.ts";
import { CommandGenerator } from "./command-generator.ts";
import { compareSequences } from "./differential.ts";
import type { Comparison, Sequence } from "./differential.ts";
import { Prng } from "./prng.ts";
import type { RedisServer } from "./redis-server.ts";
import { missingRedis, startRedis } from "./redis-server.ts";
import { encodeWords } from "./requests.ts";
import { SocketTarget } from "./socket-target.ts";
import type { Session } from "./target.ts";

const missing = missingRedis();
const seeds = Number(process.env["COMPAT_SEEDS"] ?? 4);
const firstSeed = Number(process.env["COMPAT_FIRST_SEED"] ?? 1);
const REQUESTS_PER_SEED = 150;
const REQUESTS_PER_NODE = 10;
/** How often redis-server is asked again when its closing took replies away. */
const RESET_RETRIES = 20;
const NODES = [0, 1, 2];
const PASSWORD = "sesame";

describe.skipIf(missing !== null)("A cluster answers as redis-server does", () => {
  let redis: RedisServer;
  let redisPort: number;
  let cluster: TestCluster;
  const compared: Comparison[] = [];

  beforeAll(async () => {
    [redisPort] = await freePorts(1);
    redis = await startRedis(redisPort);
    cluster = await TestCluster.start();
  });
  afterAll(async () => {
    const sum = compared.reduce((total, one) => total + one.compared, 0);
    report(`${sum} replies compared with redis-server`);
    await cluster.close();
    await redis.stop();
  });

  function node(index: number): SocketTarget {
    const { name, port } = cluster.nodes[index];
    return new SocketTarget(name, { host: "127.0.0.1", port });
  }

  async function compare(
    theirs: Session,
    ours: Session,
    sequences: readonly Sequence[],
  ): Promise<void> {
    const result = await compareSequences(theirs, ours, {
      sequences,
      explain: explainClusterDifference,
    });
    compared.push(result);
    await theirs.close();
    await ours.close();
    expect(result.differences).toEqual([]);
    expect(result.compared).toBe(sequences.reduce((sum, { requests }) => sum + requests.length, 0));
  }

  /** In one piece and byte by byte. */
  async function compareStreams(
    port: number,
    sent: string,
    plain: (text: string) => string,
  ): Promise<void> {
    for (const pieceBytes of [Infinity, 1]) {
      const ours = plain(await converse(port, sent, pieceBytes));
      let theirs = plain(await converse(redisPort, sent, pieceBytes));
      for (let again = 0; again < RESET_RETRIES && isCutByReset(theirs, ours); again++) {
        theirs = plain(await converse(redisPort, sent, pieceBytes));
      }
      expect(ours).toBe(theirs);
    }
  }

  function keySequences(from: number): Sequence[] {
    return sequencesOf(from, (random) => new CommandGenerator(random, "mixed"));
  }

  describe.each([2, 3] as const)("in RESP%d", (protocol) => {
    test.each(NODES)("to pipelines of strings and keys through node %i", async (index) => {
      const from = firstSeed + 10_000 * protocol + 1000 * index;
      const theirs = await redis.target.open(protocol);
      await compare(theirs, await node(index).open(protocol), keySequences(from));
    });

    test("to strings and keys through all nodes in turn", async () => {
      const theirs = await redis.target.open(protocol);
      const ours = await openRotating(NODES.map(node), {
        protocol,
        requestsPerNode: REQUESTS_PER_NODE,
      });
      await compare(theirs, ours, keySequences(firstSeed + 10_000 * protocol + 5000));
    });

    test("to strings and keys that are typed", async () => {
      const theirs = typed(await redis.target.open(protocol));
      const ours = typed(await node(1).open(protocol));
      await compare(theirs, ours, keySequences(firstSeed + 10_000 * protocol + 6000));
    });

    test.each(NODES)("to connection and server commands through node %i", async (index) => {
      const from = firstSeed + 10_000 * protocol + 7000 + 1000 * index;
      const sequences = sequencesOf(from, (random) => new EdgeGenerator(random));
      const theirs = await redis.target.open(protocol);
      await compare(theirs, await node(index).open(protocol), sequences);
    });

    test("to every command with every small number of words", async () => {
      const requests = allArities();
      expect(requests.length).toBeGreaterThan(400);
      const theirs = await redis.target.open(protocol);
      await compare(theirs, await node(2).open(protocol), [{ seed: 0, requests }]);
    });
  });

  test("The comparison can fail: a wrong reply of one node is found", async () => {
    const theirs = await redis.target.open(2);
    const ours = await openRotating(NODES.map(node), { protocol: 2, requestsPerNode: 1 });
    const lying: Session = {
      ...ours,
      exchange: async (requests) => {
        const replies = await ours.exchange(requests);
        return replies.map((reply, at) => (at === 4 ? Buffer.from("$3\r\nlie\r\n") : reply));
      },
    };
    const requests = [["PING"], ["SET", "a", "1"], ["GET", "a"], ["CLIENT", "ID"], ["GET", "a"]];
    const sequences = [{ seed: 0, requests }];
    const result = await compareSequences(theirs, lying, {
      sequences,
      explain: explainClusterDifference,
    });
    await theirs.close();
    await ours.close();
    expect(result.differences).toHaveLength(1);
    expect(result.differences[0]).toContain("seed 0, request 4:");
    expect([...result.explained.values()]).toEqual([1]);
  });

  describe.each(NODES)("as a stream of bytes, node %i,", (index) => {
    test.each([...TYPED_STREAMS, ...BROKEN_STREAMS, ...ENDING_STREAMS])(
      "$name",
      async ({ sent }) => {
        const { port } = cluster.nodes[index];
        const theirs = await converse(redisPort, sent);
        expect(await converse(port, sent)).toBe(theirs);
        expect(await converse(port, sent, 1)).toBe(theirs);
      },
    );
  });

  describe.each(NODES)("when it has a password, node %i,", (index) => {
    let controls: Session[];
    beforeAll(async () => {
      controls = [await redis.target.open(2), await node(index).open(2)];
      await setPassword(controls, PASSWORD);
    });
    afterAll(async () => {
      await setPassword(controls, "");
      for (const session of controls) await session.close();
    });

    test.each(PASSWORD_STREAMS)("$name", async ({ sent }) => {
      const { port } = cluster.nodes[index];
      await compareStreams(port, sent, withoutIds);
    });
  });

  test("The list of what is not there yet is exact, and each is refused as unknown", async () => {
    const theirs = await redis.target.open(2);
    const ours = await node(0).open(2);
    const table = createCommandTable();
    const known = (name: string): boolean => table.byName(name) !== null;
    const [list] = await theirs.exchange([encodeWords(["COMMAND", "LIST"])]);
    const all = textsOf(list);
    expect(all.filter((name) => !name.includes("|") && !known(name)).toSorted()).toEqual(
      ABSENT_COMMANDS,
    );
    const subcommands = all.filter((name) => name.includes("|") && known(name.split("|")[0]));
    expect(subcommands.filter((name) => !known(name)).toSorted()).toEqual(ABSENT_SUBCOMMANDS);
    // Rules may name all of them.
    const absent = all.filter((name) => !known(name));
    expect(FORESEEN_COMMANDS.map(([name]) => name)).toEqual(absent.toSorted());
    const requests = ABSENT_COMMANDS.map((name) => encodeWords([name, "a"]));
    for (const reply of await ours.exchange(requests)) {
      expect(reply.toString()).toMatch(/^-ERR unknown command '/);
    }
    await theirs.close();
    await ours.close();
  });

  test("CONFIG GET has what tools ask for, and INFO the fields that they read", async () => {
    const ours = await node(0).open(2);
    for (const name of ["maxmemory", "save", "appendonly", "databases", "maxclients", "timeout"]) {
      const [reply] = await ours.exchange([encodeWords(["CONFIG", "GET", name])]);
      expect(textsOf(reply)[0]).toBe(name);
    }
    const [info] = await ours.exchange([encodeWords(["INFO", "everything"])]);
    for (const field of TOOL_FIELDS) expect(info.toString()).toContain(`\r\n${field}:`);
    await ours.close();
  });
});

/** What redis-cli --stat, redis-benchmark, ioredis, Redis Insight and the Prometheus exporter read. */
const TOOL_FIELDS = [
  "redis_version",
  "redis_mode",
  "os",
  "tcp_port",
  "run_id",
  "process_id",
  "uptime_in_seconds",
  "connected_clients",
  "blocked_clients",
  "used_memory",
  "used_memory_human",
  "used_memory_peak",
  "used_memory_rss",
  "maxmemory",
  "maxmemory_policy",
  "mem_fragmentation_ratio",
  "loading",
  "rdb_bgsave_in_progress",
  "aof_rewrite_in_progress",
  "aof_enabled",
  "total_connections_received",
  "total_commands_processed",
  "instantaneous_ops_per_sec",
  "total_net_input_bytes",
  "total_net_output_bytes",
  "rejected_connections",
  "expired_keys",
  "evicted_keys",
  "keyspace_hits",
  "keyspace_misses",
  "role",
  "connected_slaves",
  "used_cpu_sys",
  "used_cpu_user",
  "cluster_enabled",
];

function sequencesOf(from: number, generator: (random: Prng) => { next(): string[] }): Sequence[] {
  return Array.from({ length: seeds }, (_, at) => {
    const made = generator(new Prng(from + at));
    const requests = Array.from({ length: REQUESTS_PER_SEED }, () => made.next());
    return { seed: from + at, requests };
  });
}

/** Ends or mutes a connection, blocks, or answers what differs from server to server; met by other tests. */
const NOT_IN_ARITIES =
  /^(quit|client\|(kill|reply|list)|info|config\|rewrite|command|cluster|wait|failover)/;

/** Every command that both have, with none to six further words. */
function allArities(): string[][] {
  const names = createCommandTable()
    .commands.flatMap((command) =>
      command.kind === "container" ? [command, ...command.subcommands] : [command],
    )
    .filter(({ group, name }) => group !== "ferrite" && !name.startsWith("client|setinfo"))
    .map(({ name }) => name)
    .filter((name) => !NOT_IN_ARITIES.test(name) && !LATER_OR_SHORTER.has(name));
  return names.flatMap((name) =>
    Array.from({ length: 7 }, (_, count) => [
      ...name.split("|"),
      ...Array.from({ length: count }, (_word, at) => `w${at}`),
    ]),
  );
}

/**
 * From later versions of Redis or our own, random, about a file that one side has, or the text says less because there
 * are fewer sub-commands. Those of ACL are compared in acl-conversations.test.ts.
 */
const LATER_OR_SHORTER: ReadonlySet<string> = new Set([
  "acl|explain",
  "acl|genpass",
  "acl|help",
  "acl|load",
  "acl|log",
  "acl|save",
  "client|no-touch",
  "client|help",
  "config|help",
  "memory|help",
  "object|help",
]);

function textsOf(reply: Buffer): string[] {
  const { node } = readReply(reply)!;
  if (node.kind !== "aggregate" || node.items === null) throw new Error("not an array");
  return node.items.map((item) => (item.kind === "aggregate" ? "" : (item.text ?? "")));
}

async function setPassword(sessions: readonly Session[], password: string): Promise<void> {
  for (const session of sessions) {
    const [reply] = await session.exchange([
      encodeWords(["CONFIG", "SET", "requirepass", password]),
    ]);
    expect(reply.toString()).toBe("+OK\r\n");
    if (password === "") continue;
    // With a password who never logged in has to, also who has just set it; in Redis open connections stay.
    const [login] = await session.exchange([encodeWords(["AUTH", password])]);
    expect(login.toString()).toBe("+OK\r\n");
  }
}

function withoutIds(text: string): string {
  return text
    .replaceAll(/(\$2\r\nid\r\n):\d+/g, "$1:N")
    .replaceAll(/(\$4\r\nrole\r\n)\$\d+\r\n(master|replica)/g, "$1R")
    .replaceAll(/^:\d+\r\n/gm, ":N\r\n");
}
