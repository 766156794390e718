import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HTTP_LIMITS, type HttpServerHandle } from "../../src/http/http-server.ts";
import { READY_APPLY_LAG_ENTRIES_MAX } from "../../src/http/readiness.ts";
import { FakeNode } from "./fakes.ts";

let node: FakeNode;
let server: HttpServerHandle;

beforeEach(async () => {
  node = new FakeNode();
  server = await node.start({ livenessTimeoutMs: 30 });
});

afterEach(async () => {
  await server.close();
});

function url(path: string): string {
  return `http://127.0.0.1:${server.address.port}${path}`;
}

async function get(path: string, init?: RequestInit): Promise<[number, string]> {
  const response = await fetch(url(path), init);
  return [response.status, await response.text()];
}

/** Sends bytes as they are and returns the status line of the answer. */
function statusLineOf(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect(server.address.port, "127.0.0.1", () => socket.write(request));
    socket.on("data", (bytes) => (received += bytes.toString("latin1")));
    socket.on("error", reject);
    socket.on("close", () => resolve(received.split("\r\n")[0] ?? ""));
  });
}

describe("O03 readiness", () => {
  it("is given when a leader is known, little is left to apply, and nothing stands against it", async () => {
    expect(await get("/readyz")).toEqual([200, "ok\n"]);
    expect(await get("/readyz?verbose")).toEqual([
      200,
      "[+]leader ok\n[+]applied ok\n[+]loaded ok\n[+]serving ok\n[+]disk ok\n[+]users ok\n[+]certificates ok\nreadyz check passed\n",
    ]);
  });

  it.each<[string, (node: FakeNode) => void, string]>([
    ["no leader is known", (it) => (it.leader = null), "[-]leader failed: no leader is known"],
    [
      "it lags",
      (it) => (it.commit = it.applied + READY_APPLY_LAG_ENTRIES_MAX + 1),
      "[-]applied failed: 10001 entries behind, at most 10000",
    ],
    [
      "it has not caught up since its start",
      (it) => (it.catchingUp = true),
      "[-]loaded failed: what was agreed before the start is not all applied yet",
    ],
    [
      "it is being stopped",
      (it) => (it.draining = true),
      "[-]serving failed: the node is being stopped",
    ],
    [
      "the disk is full",
      (it) => (it.diskFull = true),
      "[-]disk failed: no room for the next log segment",
    ],
    [
      "the disk hangs (R50)",
      (it) => (it.disk = { ...it.disk, stalledMs: 1234.4, stalls: 1 }),
      "[-]disk failed: the disk has not answered for 1234 ms",
    ],
    [
      "it honours nobody, as its users may have changed elsewhere",
      (it) => (it.usersRefusal = "CLUSTERDOWN this node has had no contact"),
      "[-]users failed: CLUSTERDOWN this node has had no contact",
    ],
  ])("is withheld when %s, with the reason even when not asked", async (_name, spoil, line) => {
    spoil(node);
    const [status, text] = await get("/readyz");
    expect(status).toBe(503);
    expect(text.split("\n")).toContain(line);
    expect(text).toContain("readyz check failed");
    expect(text.match(/\[\+\]/g)).toHaveLength(6);
  });

  it("bears a lag at the limit", async () => {
    node.commit = node.applied + READY_APPLY_LAG_ENTRIES_MAX;
    expect((await get("/readyz"))[0]).toBe(200);
  });
});

describe("O02 liveness", () => {
  it("does not depend on a leader, the disk's room or a stop under way", async () => {
    node.leader = null;
    node.draining = true;
    node.diskFull = true;
    expect(await get("/livez")).toEqual([200, "ok\n"]);
    expect(await get("/health")).toEqual([200, "ok\n"]);
  });

  it("fails when the log worker does not answer in time, and health does not", async () => {
    node.ping = () => undefined;
    expect(await get("/livez")).toEqual([503, "the log worker has not answered for 30 ms\n"]);
    expect((await get("/health"))[0]).toBe(200);
  });

  it("an answer that comes after the time is over changes nothing", async () => {
    let late: () => void = () => undefined;
    node.ping = (onAnswer) => (late = onAnswer);
    expect((await get("/livez"))[0]).toBe(503);
    late();
    node.ping = (onAnswer) => onAnswer();
    expect((await get("/livez"))[0]).toBe(200);
  });
});

describe("Certificates that are not good any more", () => {
  it("are told in the detail of readiness, which is given all the same", async () => {
    node.certificateWarnings = ["the certificate for clients has ended"];
    const [status, text] = await get("/readyz");
    expect(status).toBe(200);
    expect(text).toContain(
      "[+]certificates ok, with a warning: the certificate for clients has ended\n",
    );
    expect(text).toContain("readyz check passed");
  });

  it("have their ends, reloads and refusal in the metrics, by use", async () => {
    node.certificates = [
      {
        use: "peers",
        certFile: "/secret/path.crt",
        subject: "CN=n1",
        serial: "0A",
        fingerprint: "AB",
        validUntilMs: 2_000_000,
        authoritiesUntilMs: [3_000_000, 9_000_000],
        listsUntilMs: [1_000_000, null],
        warnings: [],
        refused: { sinceMs: 5, text: "not good" },
        generation: 2,
        reloads: { changed: 1, unchanged: 8, refused: 3 },
      },
    ];
    const [, text] = await get("/metrics");
    const name = "ferrite_certificate_expiry_timestamp_seconds";
    expect(text).toContain(`${name}{use="peers",kind="leaf"} 2000\n`);
    expect(text).toContain(`${name}{use="peers",kind="authority"} 3000\n`);
    expect(text).toContain(`${name}{use="peers",kind="revocation_list"} 1000\n`);
    const reloads = "ferrite_certificate_reloads_total";
    expect(text).toContain(`${reloads}{use="peers",result="refused"} 3\n`);
    expect(text).toContain('ferrite_certificate_refused{use="peers"} 1\n');
    expect(text).not.toContain("CN=n1");
    expect(text).not.toContain("/secret");
  });
});

describe("metrics", () => {
  it("are in Prometheus' text form with the values of this moment", async () => {
    node.counters.commandsProcessed = 99;
    const response = await fetch(url("/metrics"));
    const text = await response.text();
    expect(response.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    for (const line of [
      "ferrite_commands_processed_total 99",
      "ferrite_raft_term 4",
      'ferrite_raft_role{role="leader"} 1',
      'ferrite_raft_role{role="follower"} 0',
      'ferrite_raft_member_connected{member="n2"} 0',
      'ferrite_raft_member_match_index{member="n1"} 60',
      "ferrite_raft_leader_silence_seconds 1.5",
      "ferrite_keyspace_keys 100",
      'ferrite_command_calls_total{command="get"} 11',
      'ferrite_command_failures_total{command="get"} 3',
      'ferrite_errors_total{code="ERR"} 8',
      'ferrite_build_info{version="0.1.0"} 1',
    ]) {
      expect(text.split("\n")).toContain(line);
    }
  });

  it("count from the node's own numbers and not twice", async () => {
    await get("/metrics");
    const [, text] = await get("/metrics");
    expect(text).toContain("ferrite_connections_received_total 3\n");
  });

  it("all have our prefix, a help text, and counters end in _total", async () => {
    const metrics = await node.registry().getMetricsAsJSON();
    expect(metrics.length).toBeGreaterThan(40);
    for (const metric of metrics) {
      expect(metric.name).toMatch(/^ferrite_[a-z0-9_]+$/);
      expect(metric.help.length).toBeGreaterThan(5);
    }
    const counters = metrics.filter((metric) => String(metric.type) === "counter");
    expect(counters.filter((metric) => !metric.name.endsWith("_total"))).toEqual([]);
  });

  it("of two nodes in one process do not mix", async () => {
    const other = new FakeNode();
    other.counters.commandsProcessed = 1;
    expect(await other.registry().metrics()).toContain("ferrite_commands_processed_total 1\n");
    expect((await get("/metrics"))[1]).toContain("ferrite_commands_processed_total 1234\n");
  });
});

describe("bad requests", () => {
  it("an unknown path is not found and not echoed", async () => {
    expect(await get("/nope-<script>")).toEqual([404, "not found\n"]);
  });

  it("only reading is possible", async () => {
    expect((await get("/metrics", { method: "POST", body: "x" }))[0]).toBe(404);
    expect((await get("/livez", { method: "DELETE" }))[0]).toBe(404);
  });

  it("headers beyond the limit are refused", async () => {
    const request = `GET /health HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(HTTP_LIMITS.headerBytesMax)}\r\n\r\n`;
    expect(await statusLineOf(request)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it("what is not HTTP is refused", async () => {
    expect(await statusLineOf("*1\r\n$4\r\nPING\r\n")).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("a defect is answered without details and told to the node", async () => {
    const errors: string[] = [];
    const broken = await new FakeNode().start({
      liveness: {
        pingLogWorker: () => {
          throw new Error("secret detail");
        },
      },
      onError: (error) => errors.push(error.message),
    });
    const response = await fetch(`http://127.0.0.1:${broken.address.port}/livez`);
    expect([response.status, await response.text()]).toEqual([500, "internal error\n"]);
    expect(errors).toEqual(["secret detail"]);
    await broken.close();
  });
});

describe("starting and stopping", () => {
  it("a port that is taken is an error that names it", async () => {
    await expect(node.start({ port: server.address.port })).rejects.toMatchObject({
      code: "EADDRINUSE",
      port: server.address.port,
    });
  });

  it("close ends connections that clients keep open", async () => {
    const other = await node.start();
    const socket = connect(other.address.port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.write("GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
    await new Promise((resolve) => socket.once("data", resolve));
    const ended = new Promise((resolve) => socket.once("close", resolve));
    await other.close();
    await ended;
    await expect(fetch(`http://127.0.0.1:${other.address.port}/health`)).rejects.toThrow(
      "fetch failed",
    );
  });
});
