/** A node that really runs, alone: what depends on more than one of its parts. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/index.ts";
import type { NodeHandle } from "../../src/node-handle.ts";
import { startNode } from "../../src/start/start-node.ts";
import { RawClient } from "../server/support/raw-client.ts";
import { until } from "../server/support/until.ts";

let directory: string;
const running: NodeHandle[] = [];
const clients: RawClient[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ferrite-node-access-"));
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  for (const node of running.splice(0)) await node.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function start(settings: Readonly<Record<string, string>> = {}): Promise<NodeHandle> {
  const given = {
    dir: join(directory, "data"),
    port: "0",
    "http-port": "no",
    bind: "127.0.0.1",
    "password-hash-iterations": "1000",
    ...settings,
  };
  const flags = Object.entries(given).map(([name, value]) => ({ name, value, flag: `--${name}` }));
  const host = { hostname: "alone", workingDirectory: directory, isTerminal: false };
  const node = await startNode({ config: parseConfig({ flags }, host).config });
  running.push(node);
  return node;
}

async function connect(node: NodeHandle): Promise<RawClient> {
  const client = await RawClient.connect(Number(node.addresses.resp[0].split(":").at(-1)));
  clients.push(client);
  return client;
}

describe("a node that starts", () => {
  it("gives a new cluster the password of its configuration, and keeps the cluster's afterwards", async () => {
    const first = await start({ requirepass: "one" });
    const client = await connect(first);
    expect(await client.ask("GET", "a")).toBe("-NOAUTH Authentication required.\r\n");
    expect(await client.ask("AUTH", "one")).toBe("+OK\r\n");
    await first.stop();
    running.length = 0;
    const second = await connect(await start({ requirepass: "two" }));
    expect(await second.ask("AUTH", "two")).toMatch(/^-WRONGPASS/);
    expect(await second.ask("AUTH", "one")).toBe("+OK\r\n");
  });

  it("does not start with an ACL file that it does not understand, and names the line (D6, F64)", async () => {
    const file = join(directory, "users.conf");
    writeFileSync(file, "user default on nopass ~* &* +@all\nuser bob on +@nonsense\n", {
      mode: 0o600,
    });
    await expect(start({ aclfile: file })).rejects.toThrow(`${file}:2: '+@nonsense'`);
  });

  it("writes its ACL file by itself when told to (F61)", async () => {
    const client = await connect(await start({ "acl-auto-save": "yes" }));
    expect(await client.ask("ACL", "SETUSER", "alice", "on", ">pw", "+get")).toBe("+OK\r\n");
    const file = join(directory, "data", "acl.conf");
    const saved = (): boolean => {
      try {
        return readFileSync(file, "utf8").includes("user alice on #pbkdf2-sha256$1000$");
      } catch {
        return false;
      }
    };
    await until(saved);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await client.ask("CONFIG", "SET", "acl-auto-save", "no")).toBe("+OK\r\n");
    expect(await client.ask("ACL", "DELUSER", "alice")).toBe(":1\r\n");
    expect(saved()).toBe(true);
  });

  it("is reached over its Unix socket, whose file only its owner may use", async () => {
    const path = join(directory, "ferrite.sock");
    await start({ unixsocket: path });
    const client = await RawClient.connectTo(path);
    clients.push(client);
    expect(await client.ask("PING")).toBe("+PONG\r\n");
    expect(await client.ask("CLIENT", "LIST")).toContain(`addr=${path}:0`);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it("closes who does not log in in time, but not who waits for his password to be checked (S23)", async () => {
    const node = await start({ requirepass: "one", "auth-timeout-ms": "1000" });
    const silent = await connect(node);
    const known = await connect(node);
    expect(await known.ask("AUTH", "one")).toBe("+OK\r\n");
    await silent.closed;
    expect(await known.ask("PING")).toBe("+PONG\r\n");
  });

  it("hashes a password anew when the policy has become more expensive", async () => {
    const client = await connect(await start({ requirepass: "one" }));
    expect(await client.ask("AUTH", "one")).toBe("+OK\r\n");
    expect(await client.ask("ACL", "LIST")).toContain("#pbkdf2-sha256$1000$");
    await client.ask("CONFIG", "SET", "password-hash-iterations", "2000");
    expect(await client.ask("AUTH", "one")).toBe("+OK\r\n");
    // The hashing thread has the lowest priority and does this when nothing else waits.
    let list = "";
    for (let look = 0; look < 1000 && !list.includes("$2000$"); look++) {
      list = await client.ask("ACL", "LIST");
      await setTimeout(10);
    }
    expect(list).toContain("#pbkdf2-sha256$2000$");
    expect(list).not.toContain("$1000$");
    expect(await client.ask("AUTH", "one")).toBe("+OK\r\n");
  });
});

describe("acl-new-commands (S10)", () => {
  it("is the cluster's: it is agreed, kept over a restart, and shown as it was agreed", async () => {
    const first = await start();
    const client = await connect(first);
    const shown = "*2\r\n$16\r\nacl-new-commands\r\n$4\r\ndeny\r\n";
    expect(await client.ask("CONFIG", "SET", "acl-new-commands", "deny")).toBe("+OK\r\n");
    expect(await client.ask("CONFIG", "GET", "acl-new-commands")).toBe(shown);
    expect(await client.ask("GET", "a")).toBe("$-1\r\n");
    await first.stop();
    running.length = 0;
    const second = await connect(await start());
    expect(await second.ask("CONFIG", "GET", "acl-new-commands")).toBe(shown);
    expect(await second.ask("ACL", "SETUSER", "alice", "on", "nopass", "+@all", "~*")).toBe(
      "+OK\r\n",
    );
    await second.ask("AUTH", "alice", "x");
    expect(await second.ask("SET", "a", "1")).toBe("+OK\r\n");
  });

  it("of the configuration counts in a cluster that has agreed on nothing yet", async () => {
    const client = await connect(await start({ "acl-new-commands": "deny" }));
    expect(await client.ask("CONFIG", "GET", "acl-new-commands")).toContain("deny");
    expect(await client.ask("CONFIG", "SET", "acl-new-commands", "allow")).toBe("+OK\r\n");
    expect(await client.ask("CONFIG", "GET", "acl-new-commands")).toContain("allow");
  });
});
