/** Programs that people have, over TLS, on every node: openssl, redis-cli, ioredis and node-redis. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis as IoRedis } from "ioredis";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../../e2e/harness/cluster.ts";
import { findProgram, runProgram } from "../../e2e/harness/program.ts";
import { RawClient } from "../../e2e/harness/raw-client.ts";
import { attempt } from "./support/attempt.ts";
import type { ClientFiles } from "./support/authority-room.ts";
import { sClient, skipOpenssl, type HandshakeOptions } from "./support/openssl.ts";
import { TlsCluster } from "./tls-cluster.ts";

const NODES = [0, 1, 2];
/** A certificate that ECDSA ciphers are for: what is refused is refused for its weakness. */
const WEAK_CIPHERS = [
  "AES128-SHA",
  "AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES128-SHA",
  "ECDHE-ECDSA-AES256-SHA384",
  "ECDHE-ECDSA-NULL-SHA",
  "AECDH-AES128-SHA",
];
const STRONG_CIPHERS = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"];
/** Whatever the system forbids its programs is allowed to this one: the server is to refuse it. */
const ANYTHING = "@SECLEVEL=0";

const REDIS_CLI = findProgram("redis-cli");
const skipRedisCli = REDIS_CLI === null && process.env["CI"] !== "true";
if (skipRedisCli) process.stderr.write("skipped: redis-cli is not installed\n");

let cluster: TlsCluster;
let alice: ClientFiles;
let directory: string;

beforeAll(async () => {
  cluster = await TlsCluster.start({ settings: { "tls-auth-clients-user": "CN" } });
  directory = mkdtempSync(join(tmpdir(), "ferrite-handshakes-"));
  alice = cluster.room.client("alice");
  await cluster.admin(0, "ACL", "SETUSER", "alice", "on", ">alice-password", "~*", "+@all");
  await cluster.admin(0, "ACL", "SETUSER", "bob", "on", ">bob-password", "~*", "+@all");
  await until("all nodes know alice", async () => {
    const users = await Promise.all(NODES.map((node) => cluster.admin(node, "ACL", "USERS")));
    return users.every((each) => JSON.stringify(each).includes("alice"));
  });
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await cluster?.close();
});

describe.skipIf(skipOpenssl)("openssl s_client", () => {
  async function handshake(node: number, options: HandshakeOptions): Promise<string> {
    const { text } = await sClient(cluster.tlsPorts[node], { client: alice, ...options });
    return text;
  }

  it.each([
    ["1.2", "-tls1_2", "TLSv1.2"],
    ["1.3", "-tls1_3", "TLSv1.3"],
  ])(
    "speaks TLS %s to every node, which proves who it is (F74, S36)",
    async (_name, word, told) => {
      for (const node of NODES) {
        const text = await handshake(node, {
          words: [word, "-verify_return_error", "-verify_ip", "127.0.0.1"],
        });
        expect(text).toContain("+PONG");
        expect(text).toMatch(new RegExp(`Protocol\\s*: ${told}|New, ${told}`));
        expect(text).toContain("Verification: OK");
      }
    },
  );

  it.each([
    ["1.0", "-tls1"],
    ["1.1", "-tls1_1"],
  ])("is refused with TLS %s by every node, and counted (F83, S36)", async (_name, word) => {
    for (const node of NODES) {
      const before = await failures(node, "protocolVersion");
      const text = await handshake(node, { words: [word, "-cipher", `DEFAULT:${ANYTHING}`] });
      expect(text).toMatch(/alert protocol version/);
      expect(text).not.toContain("PONG");
      expect(await failures(node, "protocolVersion")).toBe(before + 1);
    }
  });

  it("may not renegotiate with TLS 1.2, and loses its connection when it insists (S36)", async () => {
    for (const node of NODES) {
      const text = await handshake(node, {
        words: ["-tls1_2"],
        input: "R\n",
        interactive: /no renegotiation|errno|closed/,
      });
      expect(text).toContain("RENEGOTIATING");
      expect(text).toMatch(/no renegotiation/);
    }
  });

  it("gets no compression, also when it asks for it (S36)", async () => {
    for (const word of ["-tls1_2", "-tls1_3"]) {
      const text = await handshake(0, { words: [word, "-comp"] });
      expect(text).toContain("+PONG");
      expect(text).toContain("Compression: NONE");
    }
  });

  it.each(STRONG_CIPHERS)("may use %s (S36)", async (cipher) => {
    const text = await handshake(1, { words: ["-tls1_2", "-cipher", cipher] });
    expect(text).toContain("+PONG");
    expect(text).toMatch(new RegExp(`Cipher( is|\\s*:) ${cipher}`));
  });

  it.each(WEAK_CIPHERS)("is refused with nothing better than %s (S36)", async (cipher) => {
    const before = await failures(1, "cipher");
    const words = ["-tls1_2", "-cipher", `${cipher}:${ANYTHING}`];
    const text = await handshake(1, { words });
    expect(text).toMatch(/alert handshake failure/);
    expect(text).not.toContain("PONG");
    expect(await failures(1, "cipher")).toBe(before + 1);
  });

  it.each([
    ["1.2", "-tls1_2"],
    ["1.3", "-tls1_3"],
  ])("resumes a session of TLS %s on every node, as the same user (S36)", async (name, word) => {
    for (const node of NODES) {
      const session = join(directory, `session-${name}-${node}`);
      const input = "ACL WHOAMI\r\nQUIT\r\n";
      const first = await handshake(node, { words: [word, "-sess_out", session], input });
      expect(first).toContain("New, ");
      expect(readFileSync(session, "utf8")).toContain("SSL SESSION");
      const second = await handshake(node, { words: [word, "-sess_in", session], input });
      expect(second).toContain("Reused, ");
      expect(second).toMatch(/\$5\r\nalice\r\n/);
    }
  });

  it("is told by an alert that a certificate is missing, with either version (F82, D1)", async () => {
    for (const node of NODES) {
      const before = await failures(node, "missing");
      const modern = await handshake(node, { client: null, words: ["-tls1_3"] });
      expect(modern).toMatch(/alert certificate required|alert number 116/);
      const older = await handshake(node, { client: null, words: ["-tls1_2"] });
      expect(older).toMatch(/alert handshake failure/);
      expect(modern + older).not.toContain("PONG");
      expect(await failures(node, "missing")).toBe(before + 2);
    }
  });
});

describe.skipIf(skipRedisCli)("redis-cli --tls", () => {
  async function cli(node: number, words: readonly string[], input = ""): Promise<string> {
    const files = ["--cert", alice.certFile, "--key", alice.keyFile, "--cacert", alice.caFile];
    const port = ["-p", String(cluster.tlsPorts[node])];
    const result = await runProgram(REDIS_CLI!, ["--tls", ...files, ...port, ...words], { input });
    expect(result.exitCode, result.errorOutput).toBe(0);
    return result.output.trimEnd();
  }

  it("is who its certificate says, on every node, and reads on all what it wrote on one (F74, F86, S30)", async () => {
    expect(await cli(0, ["SET", "cli:key", "välue"])).toBe("OK");
    for (const node of NODES) {
      expect(await cli(node, ["PING"])).toBe("PONG");
      expect(await cli(node, ["ACL", "WHOAMI"])).toBe("alice");
      expect(await cli(node, ["GET", "cli:key"])).toBe("välue");
      expect(await cli(node, ["-3", "HELLO", "3"])).toContain("proto");
    }
  });

  it("pipelines, sets a time to live and takes large values back whole (F74)", async () => {
    const large = "x".repeat(4 * 1024 * 1024);
    expect(await cli(1, ["-x", "SET", "cli:large"], large)).toBe("OK");
    expect(await cli(2, ["GET", "cli:large"])).toBe(large);
    expect(await cli(2, ["SET", "cli:short", "v", "EX", "100"])).toBe("OK");
    expect(Number(await cli(0, ["TTL", "cli:short"]))).toBeGreaterThan(90);
    const piped = Array.from({ length: 1000 }, (_, at) => `SET cli:pipe:${at} ${at}\r\n`).join("");
    expect(await cli(0, ["--pipe"], piped)).toContain("errors: 0, replies: 1000");
    expect(await cli(1, ["GET", "cli:pipe:999"])).toBe("999");
  });
});

describe("libraries over mutual TLS", () => {
  it("ioredis: every node, as its user; pipelines, binary values, AUTH as somebody else (F74, F86)", async () => {
    const binary = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
    for (const node of NODES) {
      const redis = new IoRedis({ port: cluster.tlsPorts[node], tls: alice.options });
      try {
        expect(await redis.acl("WHOAMI")).toBe("alice");
        expect(await redis.set("io:binary", binary)).toBe("OK");
        expect(await redis.getBuffer("io:binary")).toEqual(binary);
        const pipeline = redis.pipeline();
        for (let at = 0; at < 500; at++) pipeline.set("io:n", String(at)).get("io:n");
        const results = await pipeline.exec();
        expect(results?.at(-1)).toEqual([null, "499"]);
        expect(await redis.call("AUTH", "bob", "bob-password")).toBe("OK");
        expect(await redis.acl("WHOAMI")).toBe("bob");
      } finally {
        redis.disconnect();
      }
    }
  });

  it("node-redis with RESP3: every node, HELLO with a password, reads its writes (F74, F86)", async () => {
    for (const node of NODES) {
      const client = createClient({
        RESP: 3,
        username: "bob",
        password: "bob-password",
        socket: { ...alice.options, tls: true, host: "127.0.0.1", port: cluster.tlsPorts[node] },
      });
      client.on("error", () => undefined);
      await client.connect();
      try {
        expect(await client.aclWhoAmI()).toBe("bob");
        await client.set("node:key", `of ${node}`);
        expect(await client.get("node:key")).toBe(`of ${node}`);
      } finally {
        client.destroy();
      }
    }
  });

  it("give up on a server whose certificate is not of their authority (F79)", async () => {
    const { ca: _ca, ...withoutAuthority } = alice.options;
    for (const node of NODES) {
      expect(await cluster.attempt(node, withoutAuthority)).toMatch(
        /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT/,
      );
    }
  });
});

describe("no downgrade (S38)", () => {
  it("what is in the clear on the TLS port runs nothing, is counted and logged, on every node (S38)", async () => {
    for (const node of NODES) {
      const before = await failures(node, "notTls");
      const client = await RawClient.connect(cluster.tlsPorts[node]);
      await client.send("SET downgrade 1\r\nPING\r\n");
      await client.isClosedByServer();
      expect(client.received).not.toContain("OK");
      expect(client.received).not.toContain("PONG");
      expect(await failures(node, "notTls")).toBe(before + 1);
      await until("the log tells what to do", () =>
        cluster.log(node).some(({ reason, hint }) => {
          return reason === "notTls" && String(hint).includes("--tls");
        }),
      );
      expect(await cluster.admin(node, "GET", "downgrade")).toBe(null);
    }
  });

  it("a handshake on the plain port gets an end, and a line in the log that says where TLS is (S38)", async () => {
    for (const node of NODES) {
      const outcome = await attempt(cluster.base.nodes[node].port, alice.options);
      expect(outcome).toMatch(/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)/);
      await until("the log tells", () => cluster.base.log(node).includes("port without TLS"));
    }
  });

  it("there is no way to switch to TLS in the middle of a connection: STARTTLS is no command (S38)", async () => {
    const client = await RawClient.connect(cluster.base.nodes[0].port);
    await client.send("STARTTLS\r\n");
    await client.receives("-ERR unknown command 'STARTTLS'");
    client.close();
  });
});

async function failures(node: number, reason: string): Promise<number> {
  return await cluster.metric(node, "ferrite_tls_handshake_failures_total", { reason });
}
