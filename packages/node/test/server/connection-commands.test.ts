import { describe, expect, it } from "vitest";
import { request } from "./support/raw-client.ts";
import { startTestServer } from "./support/test-server.ts";
import { until } from "./support/until.ts";

/** Requests and the answers redis-server 7.0.15 gives to them. */
const GOLDEN: readonly (readonly [string, string])[] = [
  ["PING", "+PONG\r\n"],
  ["PING hello", "$5\r\nhello\r\n"],
  ["PING a b", "-ERR wrong number of arguments for 'ping' command\r\n"],
  ["ECHO hello", "$5\r\nhello\r\n"],
  ["SELECT 0", "+OK\r\n"],
  ["SELECT x", "-ERR value is not an integer or out of range\r\n"],
  ["SELECT 16", "-ERR DB index is out of range\r\n"],
  ["SELECT -1", "-ERR DB index is out of range\r\n"],
  [
    "SELECT 99999999999",
    "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n",
  ],
  ["HELLO x", "-ERR Protocol version is not an integer or out of range\r\n"],
  ["HELLO 4", "-NOPROTO unsupported protocol version\r\n"],
  ["HELLO 3 FOO", "-ERR Syntax error in HELLO option 'FOO'\r\n"],
  ["HELLO 3 a\0b", "-ERR Syntax error in HELLO option 'a'\r\n"],
  ["HELLO 3 SETNAME", "-ERR Syntax error in HELLO option 'SETNAME'\r\n"],
  ["CLIENT", "-ERR wrong number of arguments for 'client' command\r\n"],
  ["CLIENT FOO", "-ERR unknown subcommand 'FOO'. Try CLIENT HELP.\r\n"],
  ["CLIENT ID x", "-ERR wrong number of arguments for 'client|id' command\r\n"],
  ["CLIENT GETNAME", "$-1\r\n"],
  [
    "CLIENT SETNAME a\tb",
    "-ERR Client names cannot contain spaces, newlines or special characters.\r\n",
  ],
  ["CLIENT LIST TYPE foo", "-ERR Unknown client type 'foo'\r\n"],
  ["CLIENT LIST TYPE master", "$0\r\n\r\n"],
  ["CLIENT LIST ID x", "-ERR Invalid client ID\r\n"],
  ["CLIENT LIST ID", "-ERR syntax error\r\n"],
  ["CLIENT LIST FOO", "-ERR syntax error\r\n"],
  ["CLIENT KILL ID 0", "-ERR client-id should be greater than 0\r\n"],
  ["CLIENT KILL ID x", "-ERR client-id should be greater than 0\r\n"],
  ["CLIENT KILL TYPE foo", "-ERR Unknown client type 'foo'\r\n"],
  ["CLIENT KILL USER foo", "-ERR No such user 'foo'\r\n"],
  ["CLIENT KILL SKIPME maybe", "-ERR syntax error\r\n"],
  ["CLIENT KILL ID 1 FOO", "-ERR syntax error\r\n"],
  ["CLIENT KILL ID 99999", ":0\r\n"],
  ["CLIENT KILL 1.2.3.4:5", "-ERR No such client\r\n"],
  ["CLIENT REPLY x", "-ERR syntax error\r\n"],
  ["CLIENT NO-EVICT x", "-ERR syntax error\r\n"],
  ["CLIENT NO-EVICT on", "+OK\r\n"],
  ["CLIENT NO-EVICT off", "+OK\r\n"],
  ["CONFIG SET a", "-ERR wrong number of arguments for 'config|set' command\r\n"],
  ["CONFIG SET a 1 b", "-ERR syntax error\r\n"],
  ["CONFIG GET", "-ERR wrong number of arguments for 'config|get' command\r\n"],
  ["CONFIG RESETSTAT", "+OK\r\n"],
  ["CONFIG REWRITE", "-ERR The server is running without a config file\r\n"],
  ["FLUSHALL x", "-ERR syntax error\r\n"],
  ["FLUSHDB SYNC ASYNC", "-ERR syntax error\r\n"],
  ["FLUSHALL async", "+OK\r\n"],
  ["FLUSHDB sync", "+OK\r\n"],
  ["DBSIZE", ":0\r\n"],
  ["INFO foo", "$0\r\n\r\n"],
  ["INFO cluster", "$30\r\n# Cluster\r\ncluster_enabled:0\r\n\r\n"],
  ["RESET", "+RESET\r\n"],
  ["GETT a b c", "-ERR unknown command 'GETT', with args beginning with: 'a' 'b' 'c' \r\n"],
];

describe("connection and server commands", () => {
  it.each(GOLDEN)("answer %s as Redis does", async (line, answer) => {
    const test = await startTestServer();
    const client = await test.connect();
    expect(await client.ask(...line.split(" "))).toBe(answer);
  });
});

describe("HELLO", () => {
  const greeting = (id: number): string =>
    "$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n" +
    `:PROTO\r\n$2\r\nid\r\n:${id}\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n` +
    "$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";

  it("switches to RESP3 and back, and tells what Redis 7.0 tells", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    expect(await client.ask("HELLO")).toBe(`*14\r\n${greeting(1).replace("PROTO", "2")}`);
    expect(await client.ask("HELLO", "3")).toBe(`%7\r\n${greeting(1).replace("PROTO", "3")}`);
    expect(await client.ask("GET", "none")).toBe("_\r\n");
    expect(await client.ask("CLIENT", "GETNAME")).toBe("_\r\n");
    expect(await client.ask("INFO", "cluster")).toBe(
      "=34\r\ntxt:# Cluster\r\ncluster_enabled:0\r\n\r\n",
    );
    expect(await client.ask("HELLO", "2")).toBe(`*14\r\n${greeting(1).replace("PROTO", "2")}`);
    expect(await client.ask("GET", "none")).toBe("$-1\r\n");
  });

  it("takes options in their order up to the first that is wrong", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    const answer = await client.ask("HELLO", "3", "SETNAME", "me", "FOO");
    expect(answer).toBe("-ERR Syntax error in HELLO option 'FOO'\r\n");
    expect(await client.ask("CLIENT", "GETNAME")).toBe("$2\r\nme\r\n");
    expect(await client.ask("GET", "none")).toBe("$-1\r\n");
  });
});

describe("CLIENT", () => {
  it("LIST shows each client in a line of Redis' fields", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    await client.ask("CLIENT", "SETNAME", "me");
    await client.ask("CLIENT", "SETINFO", "LIB-NAME", "mylib");
    await client.ask("CLIENT", "SETINFO", "lib-ver", "1.2.3");
    test.clock.time += 5_000;
    const { localPort } = client.socket;
    const line =
      `id=1 addr=127.0.0.1:${localPort} laddr=127.0.0.1:${test.port} fd=-1 name=me age=5 idle=0 flags=N ` +
      "db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=26 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 " +
      "obl=0 oll=0 omem=0 tot-mem=26 events=r cmd=client|info user=default redir=-1 resp=2 " +
      "lib-name=mylib lib-ver=1.2.3\n";
    expect(await client.ask("CLIENT", "INFO")).toBe(`$${line.length}\r\n${line}\r\n`);
    const other = await test.connect();
    const list = await other.ask("CLIENT", "LIST", "ID", "1", "2", "77");
    expect(list).toContain("id=1 ");
    expect(list).toContain("id=2 ");
    expect(await other.ask("CLIENT", "LIST", "TYPE", "NORMAL")).toContain("cmd=client|list");
  });

  it("SETINFO refuses other attributes and blanks", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    const unknown = "-ERR Unrecognized option 'x'\r\n";
    expect(await client.ask("CLIENT", "SETINFO", "x", "y")).toBe(unknown);
    const blanks = "-ERR lib-ver cannot contain spaces, newlines or special characters.\r\n";
    expect(await client.ask("CLIENT", "SETINFO", "lib-ver", "a b")).toBe(blanks);
  });

  it("KILL ends others by address, id, type and user, and spares the caller", async () => {
    const test = await startTestServer();
    const killer = await test.connect();
    await killer.ask("PING");
    const victims = [];
    for (let number = 0; number < 4; number++) {
      const victim = await test.connect();
      await victim.ask("PING");
      victims.push(victim);
    }
    const [one, two, three, four] = victims;
    const address = `127.0.0.1:${one.socket.localPort}`;
    expect(await killer.ask("CLIENT", "KILL", address)).toBe("+OK\r\n");
    await one.closed;
    expect(await killer.ask("CLIENT", "KILL", "ID", "3")).toBe(":1\r\n");
    await two.closed;
    const third = `127.0.0.1:${three.socket.localPort}`;
    expect(await killer.ask("CLIENT", "KILL", "TYPE", "normal", "ADDR", third)).toBe(":1\r\n");
    await three.closed;
    expect(await killer.ask("CLIENT", "KILL", "USER", "default")).toBe(":1\r\n");
    await four.closed;
    expect(await killer.ask("PING")).toBe("+PONG\r\n");
  });

  it("KILL of the caller answers first", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    client.write(request("CLIENT", "KILL", "ID", "1", "SKIPME", "no") + request("PING"));
    expect(await client.rest()).toBe(":1\r\n");
  });

  it("KILL of a client with writes on their way does not stop them", async () => {
    const test = await startTestServer();
    test.replica.autoCommit = false;
    const victim = await test.connect();
    victim.send("SET a 1", "GET a");
    await until(() => test.replica.pending.length === 1);
    const killer = await test.connect();
    expect(await killer.ask("CLIENT", "KILL", "ID", "1")).toBe(":1\r\n");
    await victim.closed;
    test.replica.commit();
    expect(await killer.ask("GET", "a")).toBe("$1\r\n1\r\n");
  });

  it("REPLY OFF is silent until ON, whose answer is heard", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    client.send("CLIENT REPLY OFF", "PING", "SET a 1", "GET a", "NOPE", "CLIENT REPLY ON", "GET a");
    const all = "+OK\r\n$1\r\n1\r\n";
    expect(await client.expectBytes(all)).toBe(all);
  });

  it("REPLY SKIP silences the next command only, be it read, write or error", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    const skip = "CLIENT REPLY SKIP";
    client.send(skip, "SET a 1", "GET a", skip, "GET a", "PING", skip, "NOPE", "ECHO x");
    const all = "$1\r\n1\r\n+PONG\r\n$1\r\nx\r\n";
    expect(await client.expectBytes(all)).toBe(all);
  });

  it("REPLY OFF and SKIP hide no error from INFO: refused and failed ones are counted as in Redis", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    client.send("SET a x", "CLIENT REPLY OFF", "GET", "NOPE", "INCR a", "OBJECT FREQ a");
    client.send("CLIENT REPLY ON", "CLIENT REPLY SKIP", "INCR a", "PING");
    const all = "+OK\r\n+OK\r\n+PONG\r\n";
    expect(await client.expectBytes(all)).toBe(all);
    expect(test.server.counters.errorReplies).toBe(5);
    const counted = await client.ask("INFO", "commandstats");
    expect(counted).toMatch(/cmdstat_get:calls=0,.*rejected_calls=1,failed_calls=0/);
    expect(counted).toMatch(/cmdstat_incr:calls=2,.*rejected_calls=0,failed_calls=2/);
    expect(counted).toMatch(/cmdstat_object\|freq:calls=1,.*failed_calls=1/);
  });

  it("RESET is heard although replies were off, and undoes everything", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    await client.ask("HELLO", "3", "SETNAME", "me");
    client.send("CLIENT REPLY OFF", "RESET", "CLIENT GETNAME");
    expect(await client.expectBytes("+RESET\r\n$-1\r\n")).toBe("+RESET\r\n$-1\r\n");
  });
});

describe("QUIT", () => {
  it("answers after everything before it and drops everything behind it", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    client.send("SET a 1", "GET a", "QUIT", "SET a 2", "PING");
    expect(await client.rest()).toBe("+OK\r\n$1\r\n1\r\n+OK\r\n");
    const other = await test.connect();
    expect(await other.ask("GET", "a")).toBe("$1\r\n1\r\n");
  });

  it("cuts off a client that does not leave within the grace period", async () => {
    const test = await startTestServer({ limits: { closeGraceMs: 1_000 } });
    const client = await test.connect({ allowHalfOpen: true });
    client.socket.removeAllListeners("end");
    expect(await client.ask("QUIT")).toBe("+OK\r\n");
    expect(test.server.clientCount).toBe(1);
    test.clock.time += 1_001;
    await until(() => test.server.clientCount === 0);
  });
});

describe("CONFIG SET", () => {
  it("repeats a name that nobody knows byte by byte, up to a zero byte", async () => {
    const test = await startTestServer({
      settings: {
        get: () => undefined,
        match: () => [],
        check: () => null,
        prepare: () => null,
        set: ([[name]]) => `ERR Unknown option or number of arguments for CONFIG SET - '${name}'`,
      },
    });
    const client = await test.connect();
    const unknown = "-ERR Unknown option or number of arguments for CONFIG SET - ";
    for (const [sent, repeated] of [
      ["\xff\xc3\xa9", "\xff\xc3\xa9"],
      ["timeout\x00more", "timeout"],
      ["\x00", ""],
      ["a'\x00'b", "a'"],
    ]) {
      const word = `$${sent.length}\r\n${sent}\r\n`;
      const wrong = `*4\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n${word}$1\r\n1\r\n`;
      client.write(Buffer.from(wrong, "latin1"));
      const expected = `${unknown}'${repeated}'\r\n`;
      expect(await client.read(expected.length)).toBe(expected);
    }
  });
});
