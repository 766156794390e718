/**
 * Lines of the checklists that a running node shows over the wire and no other test names; README.md lists where each of
 * the others is shown.
 */
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { FERRITE, TestCluster } from "../e2e/harness/cluster.ts";
import { freePorts } from "../e2e/harness/free-ports.ts";
import { RawClient } from "../e2e/harness/raw-client.ts";
import { RespClient, RespError } from "../e2e/harness/resp-client.ts";
import type { RespValue } from "../e2e/harness/resp-client.ts";

const PASSWORD = "correct horse";
const NO_COMMAND = /^NOPERM this user has no permissions to run the '[a-z|]+' command$/;
const NO_KEY = "NOPERM this user has no permissions to access one of the keys used as arguments";

let cluster: TestCluster;
let admin: RespClient;
const clients: RespClient[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 1 });
  admin = await RespClient.connect(cluster.nodes[0].port);
});
afterAll(async () => {
  admin.close();
  await cluster.close();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function connect(): Promise<RespClient> {
  const client = await RespClient.connect(cluster.nodes[0].port);
  clients.push(client);
  return client;
}

/** The reply as text: an error without its dash. */
function say(reply: RespValue): string {
  return reply instanceof RespError ? reply.text : JSON.stringify(reply);
}

async function ask(client: RespClient, ...words: readonly string[]): Promise<string> {
  return say(await client.call(...words));
}

/** A connection of a new user with these rules. */
async function userWith(...rules: readonly string[]): Promise<RespClient> {
  expect(await ask(admin, "ACL", "SETUSER", "user", "reset", "on", "nopass", ...rules)).toBe(
    '"OK"',
  );
  const client = await connect();
  expect(await ask(client, "AUTH", "user", "any")).toBe('"OK"');
  return client;
}

describe("Logging in", () => {
  test("without a name, when the default user has no password, says so (F1)", async () => {
    expect(await ask(await connect(), "AUTH", "any")).toBe(
      "ERR AUTH <password> called without any password configured for the default user. " +
        "Are you sure your configuration is correct?",
    );
  });

  test("with what is stored of a password, or with its fast hash, fails: there is no older form that counts (D4)", async () => {
    const rules = ["reset", "on", `>${PASSWORD}`, "+@all", "~*"];
    expect(await ask(admin, "ACL", "SETUSER", "stored", ...rules)).toBe('"OK"');
    const line = say(await admin.call("ACL", "LIST"));
    const stored = /pbkdf2-sha256\$\d+\$[0-9a-f]+\$([0-9a-f]+)/.exec(line)!;
    const sha256 = createHash("sha256").update(PASSWORD).digest("hex");
    const salt = stored[0].split("$")[2];
    const salted = createHash("sha256").update(Buffer.from(salt, "hex")).update(PASSWORD);
    const client = await connect();
    for (const guess of [stored[0], `#${stored[0]}`, stored[1], sha256, salted.digest("hex")]) {
      expect(await ask(client, "AUTH", "stored", guess)).toMatch(/^WRONGPASS /);
    }
    expect(await ask(client, "AUTH", "stored", PASSWORD)).toBe('"OK"');
    expect(await ask(admin, "ACL", "DELUSER", "stored")).toBe("1");
  });

  test("is needed before a write that is sent right behind it counts (F9)", async () => {
    const rules = ["resetpass", `>${PASSWORD}`];
    expect(await ask(admin, "ACL", "SETUSER", "default", ...rules)).toBe('"OK"');
    const client = await connect();
    try {
      const early = client.pipeline([
        ["SET", "early", "1"],
        ["AUTH", "wrong"],
        ["SET", "early", "2"],
        ["AUTH", PASSWORD],
        ["EXISTS", "early"],
        ["SET", "late", "3"],
        ["GET", "late"],
      ]);
      const replies = (await Promise.all(early)).map(say);
      expect(replies[0]).toBe("NOAUTH Authentication required.");
      expect(replies[1]).toMatch(/^WRONGPASS /);
      expect(replies.slice(2)).toEqual([replies[0], '"OK"', "0", '"OK"', '"3"']);
    } finally {
      expect(await ask(client, "AUTH", "default", PASSWORD)).toBe('"OK"');
      expect(await ask(client, "ACL", "SETUSER", "default", "nopass")).toBe('"OK"');
    }
  });

  test("is not asked of those on this machine because some user has got a password (D7)", async () => {
    expect(await ask(admin, "ACL", "SETUSER", "other", "on", `>${PASSWORD}`, "+@all")).toBe('"OK"');
    expect(await ask(await connect(), "ACL", "WHOAMI")).toBe('"default"');
    expect(await ask(admin, "ACL", "DELUSER", "other")).toBe("1");
  });
});

describe("Keys", () => {
  beforeAll(async () => {
    expect(await ask(admin, "MSET", "read:a", "1", "write:a", "2", "both:a", "3")).toBe('"OK"');
  });

  test("are written at the end of a copy and read at its beginning (F34)", async () => {
    const client = await userWith("%R~read:*", "%W~write:*", "+copy");
    expect(await ask(client, "COPY", "read:a", "write:b")).toBe("1");
    expect(await ask(client, "COPY", "write:a", "write:b")).toBe(NO_KEY);
    expect(await ask(client, "COPY", "read:a", "read:b")).toBe(NO_KEY);
    expect(await ask(client, "COPY", "read:a", "other")).toBe(NO_KEY);
  });

  test("are read and written where they are renamed away, and written where they come to be (F35)", async () => {
    const client = await userWith("%R~read:*", "%W~write:*", "~both:*", "+rename", "+renamenx");
    expect(await ask(client, "RENAME", "read:a", "write:b")).toBe(NO_KEY);
    expect(await ask(client, "RENAMENX", "write:a", "both:b")).toBe(NO_KEY);
    expect(await ask(client, "RENAME", "both:a", "read:b")).toBe(NO_KEY);
    expect(await ask(client, "RENAME", "both:a", "write:c")).toBe('"OK"');
  });

  test("are not what KEYS, SCAN, DBSIZE and RANDOMKEY name: as in Redis the commands are what is allowed (F38)", async () => {
    const rules = ["~read:*", "+@read"];
    const allowed = await userWith(...rules);
    const commands = [["KEYS", "*"], ["SCAN", "0"], ["DBSIZE"], ["RANDOMKEY"]];
    for (const words of commands) expect(await ask(allowed, ...words)).not.toMatch(/^NOPERM/);
    const denied = await userWith(...rules, "-keys", "-scan", "-dbsize", "-randomkey");
    for (const words of commands) expect(await ask(denied, ...words)).toMatch(NO_COMMAND);
  });

  test("hold nobody up: names of JavaScript's own are names like others (S27)", async () => {
    const names = ["__proto__", "constructor", "toString"];
    for (const name of names) {
      const rules = ["reset", "on", "nopass", `~${name}`, "+get", "+set"];
      expect(await ask(admin, "ACL", "SETUSER", name, ...rules)).toBe('"OK"');
      const client = await connect();
      expect(await ask(client, "AUTH", name, "any")).toBe('"OK"');
      expect(await ask(client, "SET", name, "v")).toBe('"OK"');
      expect(await ask(client, "GET", name)).toBe('"v"');
      expect(await ask(client, "GET", "other")).toBe(NO_KEY);
      expect(await ask(client, "ACL", "WHOAMI")).toMatch(NO_COMMAND);
    }
    expect(await ask(admin, "ACL", "DELUSER", ...names)).toBe("3");
  });
});

describe("The default user", () => {
  test("is held to its rules also by those who never log in (F45)", async () => {
    const open = await connect();
    expect(await ask(admin, "ACL", "SETUSER", "boss", "on", "nopass", "~*", "&*", "+@all")).toBe(
      '"OK"',
    );
    expect(await ask(admin, "AUTH", "boss", "any")).toBe('"OK"');
    expect(await ask(admin, "ACL", "SETUSER", "default", "-@write", "resetkeys", "~read:*")).toBe(
      '"OK"',
    );
    for (const client of [open, await connect()]) {
      expect(await ask(client, "SET", "read:a", "1")).toMatch(NO_COMMAND);
      expect(await ask(client, "GET", "write:a")).toBe(NO_KEY);
      expect(await ask(client, "GET", "read:a")).toBe('"1"');
    }
    expect(await ask(admin, "ACL", "SETUSER", "default", "~*", "+@all")).toBe('"OK"');
    expect(await ask(open, "SET", "read:a", "1")).toBe('"OK"');
    expect(await ask(admin, "AUTH", "default", "any")).toBe('"OK"');
    expect(await ask(admin, "ACL", "DELUSER", "boss")).toBe("1");
  });
});

describe("A refusal", () => {
  test("names the command in small letters, however it was written (F46)", async () => {
    const client = await userWith("+get");
    expect(await ask(client, "FLUSHALL")).toBe(
      "NOPERM this user has no permissions to run the 'flushall' command",
    );
    expect(await ask(client, "Client", "LIST")).toBe(
      "NOPERM this user has no permissions to run the 'client|list' command",
    );
  });

  test("is one line, whatever bytes it repeats (S21)", async () => {
    const evil = "x\r\n+OK\r\n$5\r\nhello";
    const client = await userWith("+@all", "~a");
    const raw = await RawClient.connect(cluster.nodes[0].port);
    const requests = [
      [evil],
      ["CLIENT", evil],
      ["ACL", evil],
      ["ACL", "SETUSER", "user", evil],
      ["ACL", "SETUSER", "user", `(${evil}`],
      ["ACL", "CAT", evil],
      ["ACL", "GETUSER"],
      ["ACL", "DRYRUN", evil, "get", "a"],
      ["ACL", "DRYRUN", "default", evil],
      ["CONFIG", "SET", evil, "1"],
      ["CLIENT", "KILL", "USER", evil],
      ["AUTH", evil, "x"],
      ["HELLO", evil],
      ["HELLO", "3", evil],
    ];
    raw.push(requests.map(encode).join("") + encode(["ECHO", "the end"]));
    await raw.receives("the end");
    // As many lines as replies, each an error: nothing that was sent has become a reply of its own.
    const lines = raw.received.split("\r\n").slice(0, -3);
    raw.close();
    expect(lines).toHaveLength(requests.length);
    for (const line of lines) expect(line).toMatch(/^-[A-Z]+ [^\r\n]*$/);
    expect(await ask(client, "ACL", "WHOAMI")).toBe('"user"');
  });

  test("of an empty, negative or null request costs nobody their connection who sent none (S21)", async () => {
    const raw = await RawClient.connect(cluster.nodes[0].port);
    await raw.send("*0\r\n\r\n   \r\n*-1\r\n");
    for (const byte of encode(["PING"])) await raw.send(byte);
    await raw.receives("+PONG\r\n");
    await raw.send("*1\r\n$-1\r\n");
    await raw.isClosedByServer();
    expect(raw.received).toMatch(/^\+PONG\r\n-ERR Protocol error: [^\r\n]+\r\n$/);
    expect(await ask(await connect(), "PING")).toBe('"PONG"');
  });
});

describe("Around the node", () => {
  test("metrics and health are read without logging in, and hold no names of users (D12)", async () => {
    await userWith("~secret-pattern", "+get");
    const { httpPort } = cluster.nodes[0];
    for (const path of ["/metrics", "/health", "/livez", "/readyz"]) {
      const answer = await fetch(`http://127.0.0.1:${httpPort}${path}`);
      expect(answer.status, path).toBe(200);
      expect(answer.headers.get("set-cookie"), path).toBeNull();
      expect(await answer.text(), path).not.toMatch(/secret-pattern|nopass/);
    }
  });

  test("a node with peers does not start without certificates: there is no secret it would make up (D14)", async () => {
    const directory = mkdtempSync(join(tmpdir(), "ferrite-security-"));
    const [port, peerPort, otherPort] = await freePorts(3);
    const flags = ["port", String(port), "peer-port", String(peerPort), "http-port", "no"];
    const settings = ["dir", directory, "peers", `node2=127.0.0.1:${otherPort}`, ...flags];
    const words = settings.flatMap((word, at) =>
      at % 2 === 0 ? ["--set", `${word}=${settings[at + 1]}`] : [],
    );
    const { status, stderr, stdout } = spawnSync(process.execPath, [FERRITE, "start", ...words], {
      encoding: "utf8",
      timeout: 30_000,
      env: { PATH: process.env["PATH"] ?? "" },
    });
    rmSync(directory, { recursive: true });
    expect(status).not.toBe(0);
    expect(status).not.toBeNull();
    expect(stderr + stdout).toMatch(/peer-tls-cert-file/);
  });
});

function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}
