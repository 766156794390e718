import type { CredentialHealth } from "../../src/certificates/live-credentials.ts";
import { describe, expect, it } from "vitest";
import type { MemberView } from "../../src/replica/replica-view.ts";
import { FERRITE_VERSION } from "../../src/server/version.ts";
import packageManifest from "../../package.json" with { type: "json" };
import { startTestServer } from "./support/test-server.ts";
import type { TestServer } from "./support/test-server.ts";

const OTHER: MemberView = {
  id: "0a1b2c3d-0000-4000-8000-00000000000b",
  name: "node-b",
  peerAddress: "127.0.0.1:16479",
  clientAddress: "127.0.0.1:6479",
  learner: false,
  isSelf: false,
  isLeader: false,
  connected: true,
  matchIndex: 8,
};
const OTHER_TOOL_ID = "0a1b2c3d00004000800000000000000b00000000";
const OWN_TOOL_ID = "0a1b2c3d00004000800000000000000a00000000";

/** Of a name that would like to be a line of its own. */
const HEALTH: CredentialHealth = {
  use: "peers",
  certFile: "/node.crt",
  subject: "CN=n1\r\ntls_peers_days_left:999",
  serial: "0A1B",
  fingerprint: "AB",
  validUntilMs: 1_800_000_000_000,
  authoritiesUntilMs: [1_900_000_000_000],
  listsUntilMs: [null],
  warnings: ["a list is out of date"],
  refused: { sinceMs: 1_700_000_000_000, text: "node.crt is cut off." },
  generation: 4,
  reloads: { changed: 3, unchanged: 7, refused: 3 },
};

async function infoOf(test: TestServer, ...sections: string[]): Promise<Map<string, string>> {
  const client = await test.connect();
  const text = await client.ask("INFO", ...sections);
  const fields = text.split("\r\n").filter((line) => /^\w+[\w|]*:/.test(line));
  return new Map(
    fields.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]),
  );
}

/** The titles of the sections in an INFO answer. */
async function titlesOf(test: TestServer, ...sections: string[]): Promise<string[]> {
  const client = await test.connect();
  const text = await client.ask("INFO", ...sections);
  return [...text.matchAll(/^# (\w+)\r$/gm)].map((match) => match[1]);
}

describe("INFO", () => {
  it("prints the default sections, chosen ones in its own order, and all", async () => {
    const test = await startTestServer();
    const standard = await titlesOf(test);
    expect(standard).toEqual([
      "Server",
      "Clients",
      "Memory",
      "Persistence",
      "Stats",
      "Replication",
      "CPU",
      "Modules",
      "Errorstats",
      "Cluster",
      "Raft",
      "Security",
      "Certificates",
      "Keyspace",
    ]);
    expect(await titlesOf(test, "DEFAULT")).toEqual(standard);
    expect(await titlesOf(test, "keyspace", "Server", "nonsense", "server")).toEqual([
      "Server",
      "Keyspace",
    ]);
    const all = [...standard.slice(0, 8), "Commandstats", ...standard.slice(8)];
    expect(await titlesOf(test, "all")).toEqual(all);
    expect(await titlesOf(test, "everything")).toEqual(all);
    expect(await titlesOf(test, "commandstats")).toEqual(["Commandstats"]);
  });

  it("shows what certificates there are, until when, and what is wrong with their files", async () => {
    const test = await startTestServer({ certificates: { health: () => [HEALTH] } });
    const nowMs = test.clock.time;
    const info = await infoOf(test, "certificates");
    expect([...info.keys()].every((name) => name.startsWith("tls_peers_"))).toBe(true);
    expect(info.get("tls_peers_subject")).toBe("CN=n1 tls_peers_days_left:999");
    expect(info.get("tls_peers_serial")).toBe("0A1B");
    expect(info.get("tls_peers_valid_until")).toBe(String(HEALTH.validUntilMs / 1000));
    const days = Math.floor((HEALTH.validUntilMs - nowMs) / 86_400_000);
    expect(info.get("tls_peers_days_left")).toBe(String(days));
    expect(info.get("tls_peers_authority_valid_until")).toBe("1900000000");
    expect(info.get("tls_peers_revocation_list_next_update")).toBe("-1");
    expect(info.get("tls_peers_reloads_refused")).toBe("3");
    expect(info.get("tls_peers_last_reload_error")).toBe("node.crt is cut off.");
  });

  it("names process, port, versions and run id", async () => {
    const test = await startTestServer();
    test.clock.time += 90_061_000;
    const info = await infoOf(test, "server");
    expect(info.get("process_id")).toBe(String(process.pid));
    expect(info.get("tcp_port")).toBe(String(test.port));
    expect(info.get("redis_version")).toBe("7.0.15");
    expect(info.get("ferrite_version")).toBe(FERRITE_VERSION);
    expect(info.get("run_id")).toMatch(/^[0-9a-f]{40}$/);
    expect(info.get("uptime_in_seconds")).toBe("90061");
    expect(info.get("uptime_in_days")).toBe("1");
    expect(info.get("redis_mode")).toBe("standalone");
  });

  it("counts clients, commands, bytes and errors, until CONFIG RESETSTAT", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    await client.ask("SET", "a", "1");
    await client.ask("GET", "a");
    await client.ask("GET");
    await client.ask("NOPE");
    await client.ask("INCR", "a");
    await client.ask("SET", "a", "x");
    await client.ask("INCR", "a");
    const info = await infoOf(test, "all");
    expect(info.get("connected_clients")).toBe("2");
    // GET without a key and NOPE are not carried out.
    expect(info.get("total_commands_processed")).toBe("6");
    expect(info.get("total_error_replies")).toBe("3");
    expect(info.get("errorstat_ERR")).toBe("count=3");
    expect(info.get("cmdstat_get")).toMatch(
      /^calls=1,usec=\d+,usec_per_call=[\d.]+,rejected_calls=1,failed_calls=0$/,
    );
    expect(info.get("cmdstat_incr")).toContain("calls=2,");
    expect(info.get("cmdstat_incr")).toContain("failed_calls=1");
    expect(Number(info.get("total_net_input_bytes"))).toBeGreaterThan(100);
    expect(Number(info.get("total_net_output_bytes"))).toBeGreaterThan(20);
    await client.ask("CONFIG", "RESETSTAT");
    const after = await infoOf(test, "all");
    expect(after.get("total_error_replies")).toBe("0");
    expect(after.has("errorstat_ERR")).toBe(false);
    expect(after.has("cmdstat_get")).toBe(false);
  });

  it("counts refused commands apart", async () => {
    const test = await startTestServer({ config: { requirepass: "secret" } });
    const client = await test.connect();
    await client.ask("GET", "a");
    await client.ask("AUTH", "secret");
    test.replica.refusal = "CLUSTERDOWN no leader";
    await client.ask("SET", "a", "1");
    const text = await client.ask("INFO", "commandstats");
    expect(text).toContain(
      "cmdstat_get:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0",
    );
    expect(text).toContain(
      "cmdstat_set:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0",
    );
    expect(await client.ask("INFO", "errorstats")).toContain("errorstat_CLUSTERDOWN:count=1");
  });

  it("shows the leader as master with its connected followers", async () => {
    const test = await startTestServer();
    test.replica.extraMembers = [OTHER, { ...OTHER, id: "x", name: "node-c", connected: false }];
    const info = await infoOf(test, "replication");
    expect(info.get("role")).toBe("master");
    expect(info.get("connected_slaves")).toBe("1");
    expect(info.get("slave0")).toBe("ip=127.0.0.1,port=6479,state=online,offset=8,lag=0");
    expect(info.get("master_repl_offset")).toBe("10");
    expect(info.get("master_replid")).toBe("ffffffff00004000800000000000000100000000");
  });

  it("shows a follower as slave of the leader, and of nobody when there is none", async () => {
    const test = await startTestServer();
    test.replica.roleNow = "follower";
    test.replica.extraMembers = [{ ...OTHER, isLeader: true }];
    const info = await infoOf(test, "replication");
    expect(info.get("role")).toBe("slave");
    expect(info.get("master_host")).toBe("127.0.0.1");
    expect(info.get("master_port")).toBe("6479");
    expect(info.get("master_link_status")).toBe("up");
    expect(info.get("master_last_io_seconds_ago")).toBe("1");
    test.replica.extraMembers = [OTHER];
    const alone = await infoOf(test, "replication");
    expect(alone.get("master_link_status")).toBe("down");
    expect(alone.get("master_host")).toBe("");
    expect(alone.get("master_link_down_since_seconds")).toBe("1");
  });

  it("shows keys, expiries and memory", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    const empty = await infoOf(test, "keyspace");
    expect(empty.has("db0")).toBe(false);
    await client.ask("SET", "a", "1");
    await client.ask("SET", "b", "1", "PX", "5000");
    const info = await infoOf(test);
    expect(info.get("db0")).toBe("keys=2,expires=1,avg_ttl=5000");
    expect(Number(info.get("used_memory"))).toBeGreaterThan(0);
    expect(Number(info.get("used_memory_peak"))).toBeGreaterThanOrEqual(
      Number(info.get("used_memory")),
    );
    expect(Number(info.get("used_memory_dataset"))).toBe(test.replica.keyspace.usedBytes);
    expect(info.get("maxmemory_policy")).toBe("noeviction");
  });

  it("shows the node's place in its Raft group", async () => {
    const test = await startTestServer();
    test.replica.extraMembers = [OTHER];
    const info = await infoOf(test, "raft");
    expect(Object.fromEntries(info)).toMatchObject({
      raft_node_name: "node-a",
      raft_role: "leader",
      raft_term: "3",
      raft_leader_name: "node-a",
      raft_commit_index: "10",
      raft_first_index: "5",
      raft_snapshot_index: "4",
      raft_snapshot_bytes_sent: "4096",
      raft_members: "2",
      raft_writable: "1",
    });
  });
});

describe("CLUSTER", () => {
  it("INFO says ok while writes are taken, and fail when not", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    const text = await client.ask("CLUSTER", "INFO");
    expect(text).toContain(
      "cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_slots_ok:16384\r\n",
    );
    test.replica.refusal = "CLUSTERDOWN no leader";
    expect(await client.ask("CLUSTER", "INFO")).toContain("cluster_state:fail\r\n");
  });

  it("NODES, MYID, SLOTS and SHARDS draw one master with all slots", async () => {
    const test = await startTestServer();
    test.replica.extraMembers = [OTHER];
    const client = await test.connect();
    expect(await client.ask("CLUSTER", "MYID")).toBe(`$40\r\n${OWN_TOOL_ID}\r\n`);
    const nodes =
      `${OWN_TOOL_ID} 127.0.0.1:6379@16379,node-a myself,master - 0 0 3 connected 0-16383\n` +
      `${OTHER_TOOL_ID} 127.0.0.1:6479@16479,node-b slave ${OWN_TOOL_ID} 0 0 3 connected\n`;
    expect(await client.ask("CLUSTER", "NODES")).toBe(`$${nodes.length}\r\n${nodes}\r\n`);
    const node = (port: number, id: string): string =>
      `*4\r\n$9\r\n127.0.0.1\r\n:${port}\r\n$40\r\n${id}\r\n*0\r\n`;
    const slots = `*1\r\n*4\r\n:0\r\n:16383\r\n${node(6379, OWN_TOOL_ID)}${node(6479, OTHER_TOOL_ID)}`;
    expect(await client.ask("CLUSTER", "SLOTS")).toBe(slots);
    const shards = await client.ask("CLUSTER", "SHARDS");
    expect(shards).toContain("$5\r\nslots\r\n*2\r\n:0\r\n:16383\r\n");
    expect(shards).toContain("$4\r\nrole\r\n$7\r\nreplica\r\n");
    test.replica.roleNow = "candidate";
    expect(await client.ask("CLUSTER", "SLOTS")).toBe("*0\r\n");
  });
});

describe("FERRITE.STATUS", () => {
  it("tells of every certificate, with what is wrong", async () => {
    const test = await startTestServer({ certificates: { health: () => [HEALTH] } });
    const client = await test.connect();
    await client.ask("HELLO", "3");
    const text = await client.ask("FERRITE.STATUS");
    expect(text).toContain("$12\r\ncertificates\r\n*1\r\n%12\r\n$3\r\nuse\r\n$5\r\npeers\r\n");
    expect(text).toContain("$14\r\nvalid_until_ms\r\n:1800000000000\r\n");
    expect(text).toContain("$7\r\nrefused\r\n$20\r\nnode.crt is cut off.\r\n");
    expect(text).toContain("$30\r\nrevocation_list_next_update_ms\r\n_\r\n");
    expect(text).toContain("$8\r\nwarnings\r\n*1\r\n$21\r\na list is out of date\r\n");
  });

  it("tells who this node is and how far every member has come", async () => {
    const test = await startTestServer();
    test.replica.extraMembers = [{ ...OTHER, matchIndex: null }];
    const client = await test.connect();
    await client.ask("HELLO", "3");
    const text = await client.ask("FERRITE.STATUS");
    expect(text).toMatch(/^%\d+\r\n\$4\r\nname\r\n/);
    expect(text).toContain("$4\r\nrole\r\n$6\r\nleader\r\n");
    expect(text).toContain("$4\r\nterm\r\n:3\r\n");
    expect(text).toContain("$13\r\napplied_index\r\n:10\r\n");
    expect(text).toContain("$13\r\nwrite_refusal\r\n_\r\n");
    expect(text).toContain("$7\r\nmembers\r\n*2\r\n%9\r\n$4\r\nname\r\n$6\r\nnode-a\r\n");
    expect(text).toContain("$11\r\nmatch_index\r\n_\r\n");
    expect(text).toContain("$4\r\nself\r\n#t\r\n");
  });
});

describe("CONFIG", () => {
  const values = new Map([
    ["maxclients", "10000"],
    ["maxmemory", "0"],
  ]);
  const settings = {
    get: (name: string) => values.get(name),
    match: (patterns: readonly string[]) => [...values].filter(([name]) => patterns.includes(name)),
    check: () => null,
    prepare: () => null,
    set: (pairs: readonly (readonly [string, string])[]) => {
      if (pairs.some(([name]) => !values.has(name))) return "ERR Unknown option";
      for (const [name, value] of pairs) values.set(name, value);
      return null;
    },
  };

  it("GET answers several patterns in a map, SET takes several pairs", async () => {
    const test = await startTestServer({ settings });
    const client = await test.connect();
    const both = "*4\r\n$10\r\nmaxclients\r\n$5\r\n10000\r\n$9\r\nmaxmemory\r\n$1\r\n0\r\n";
    expect(await client.ask("CONFIG", "GET", "maxmemory", "maxclients")).toBe(both);
    expect(await client.ask("CONFIG", "SET", "maxmemory", "5", "maxclients", "7")).toBe("+OK\r\n");
    expect(await client.ask("CONFIG", "GET", "maxmemory")).toBe(
      "*2\r\n$9\r\nmaxmemory\r\n$1\r\n5\r\n",
    );
    expect(await client.ask("CONFIG", "SET", "nope", "5")).toBe("-ERR Unknown option\r\n");
  });

  it("SET waits for what has to be looked at first, and changes nothing when that is not good", async () => {
    let verdict = Promise.withResolvers<string | null>();
    const test = await startTestServer({
      settings: { ...settings, prepare: () => verdict.promise },
    });
    const client = await test.connect();
    const before = values.get("maxmemory");
    const refused = client.ask("CONFIG", "SET", "maxmemory", "9");
    verdict.resolve("ERR CONFIG SET failed - the file is not good");
    expect(await refused).toBe("-ERR CONFIG SET failed - the file is not good\r\n");
    expect(values.get("maxmemory")).toBe(before);

    verdict = Promise.withResolvers();
    const accepted = client.ask("CONFIG", "SET", "maxmemory", "9");
    expect(values.get("maxmemory")).toBe(before);
    verdict.resolve(null);
    expect(await accepted).toBe("+OK\r\n");
    expect(values.get("maxmemory")).toBe("9");
  });
});

describe("TIME", () => {
  it("is the server's clock in seconds and microseconds", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    expect(await client.ask("TIME")).toBe("*2\r\n$10\r\n1700000000\r\n$3\r\n123\r\n");
  });
});

describe("the version", () => {
  it("is that of the package", () => {
    expect(FERRITE_VERSION).toBe(packageManifest.version);
  });
});

describe("HELP", () => {
  it.each(["CLIENT", "CONFIG", "CLUSTER"])(
    "of %s lists only sub-commands that exist",
    async (name) => {
      const test = await startTestServer();
      const client = await test.connect();
      const text = await client.ask(name, "HELP");
      expect(text).toContain(
        `+${name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n`,
      );
      const words = [...text.matchAll(/^\+([A-Z-]+)/gm)]
        .map((match) => match[1])
        .filter((word) => word !== name);
      expect(words.length).toBeGreaterThan(3);
      for (const word of words) {
        expect(await client.ask(name, word, "x".repeat(3), "y", "z")).not.toContain(
          "unknown subcommand",
        );
      }
    },
  );
});
