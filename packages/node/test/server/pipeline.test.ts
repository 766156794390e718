import { describe, expect, it } from "vitest";
import { request } from "./support/raw-client.ts";
import { startTestServer } from "./support/test-server.ts";
import { until } from "./support/until.ts";

describe("a pipeline", () => {
  it("is answered in order when reads stand between writes that are still on their way", async () => {
    const { replica, connect } = await prepared();
    const client = await connect();
    client.send("SET a 1", "GET a", "SET a 2", "GET a", "PING", "SET a 3", "GET a");
    await until(() => replica.pending.length === 3);
    replica.commit(1);
    expect(await client.expectBytes("+OK\r\n$1\r\n1\r\n")).toBe("+OK\r\n$1\r\n1\r\n");
    replica.commit(2);
    const rest = "+OK\r\n$1\r\n2\r\n+PONG\r\n+OK\r\n$1\r\n3\r\n";
    expect(await client.expectBytes(rest)).toBe(rest);
  });

  it("runs a read between two writes that are applied in one round at its own place", async () => {
    const { replica, connect } = await prepared();
    const client = await connect();
    client.send("SET a 1", "GET a", "SET a 2", "GET a");
    await until(() => replica.pending.length === 2);
    replica.commit();
    const all = "+OK\r\n$1\r\n1\r\n+OK\r\n$1\r\n2\r\n";
    expect(await client.expectBytes(all)).toBe(all);
  });

  it("submits writes behind reads without waiting for the reads", async () => {
    const { replica, connect } = await prepared();
    const client = await connect();
    client.send("SET a 1", "GET a", "SET b 2", "GET b", "SET c 3");
    await until(() => replica.pending.length === 3);
    expect(client.receivedBytes).toBe(0);
  });

  it("answers errors in their place", async () => {
    const { replica, connect } = await prepared();
    const client = await connect();
    client.send("SET a 1", "NOPE x", "GET", "SET a 2", "GET a");
    await until(() => replica.pending.length === 2);
    replica.commit();
    const all =
      "+OK\r\n-ERR unknown command 'NOPE', with args beginning with: 'x' \r\n" +
      "-ERR wrong number of arguments for 'get' command\r\n+OK\r\n$1\r\n2\r\n";
    expect(await client.expectBytes(all)).toBe(all);
  });

  it("answers a write that is refused in its place behind writes on their way", async () => {
    const { replica, connect } = await prepared();
    const client = await connect();
    client.send("SET a 1", "GET a");
    await until(() => replica.pending.length === 1);
    replica.refusal = "CLUSTERDOWN no leader";
    client.send("SET a 2", "GET a", "PING");
    await until(() => client.socket.bytesWritten > 0);
    expect(client.receivedBytes).toBe(0);
    // The connection takes these in before it is asked for its counters.
    const other = await connect();
    await other.ask("PING");
    replica.commit();
    const all = "+OK\r\n$1\r\n1\r\n-CLUSTERDOWN no leader\r\n$1\r\n1\r\n+PONG\r\n";
    expect(await client.expectBytes(all)).toBe(all);
  });

  it("answers R06 writes of unknown outcome with their error and goes on", async () => {
    const { replica, connect } = await prepared();
    const client = await connect();
    client.send("SET a 1", "GET a", "SET a 2", "GET a");
    await until(() => replica.pending.length === 2);
    replica.fail("UNKNOWNOUTCOME the write may have been applied", 1);
    replica.commit();
    const all = "-UNKNOWNOUTCOME the write may have been applied\r\n$-1\r\n+OK\r\n$1\r\n2\r\n";
    expect(await client.expectBytes(all)).toBe(all);
  });

  it("makes writes wait for a command that changes how they are treated", async () => {
    const { replica, connect } = await prepared();
    const client = await connect();
    client.send("SET a 1", "CLIENT SETNAME me", "SET a 2", "CLIENT GETNAME", "GET a");
    await until(() => replica.pending.length === 1);
    const other = await connect();
    await other.ask("PING");
    expect(replica.pending.length).toBe(1);
    replica.commit();
    await until(() => replica.pending.length === 1);
    replica.commit();
    const all = "+OK\r\n+OK\r\n+OK\r\n$2\r\nme\r\n$1\r\n2\r\n";
    expect(await client.expectBytes(all)).toBe(all);
  });

  it("takes inline commands to the log as RESP, quotes undone", async () => {
    const { replica, connect } = await prepared();
    const client = await connect();
    client.write('SET "a key" \'two words\'\r\nGET "a key"\r\n');
    await until(() => replica.pending.length === 1);
    expect(replica.pending[0].bytes.toString()).toBe(request("SET", "a key", "two words"));
    replica.commit();
    const all = "+OK\r\n$9\r\ntwo words\r\n";
    expect(await client.expectBytes(all)).toBe(all);
  });

  it("skips S21 empty requests without an answer", async () => {
    const { connect } = await prepared();
    const client = await connect();
    client.write("\r\n*0\r\n*-1\r\n   \r\nPING\r\n");
    expect(await client.reply()).toBe("+PONG\r\n");
  });

  it("gives S21 a client that sends byte by byte the same answers", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    const all = request("SET", "k", "v") + request("GET", "k") + "PING\r\n" + request("DEL", "k");
    for (const byte of Buffer.from(all)) {
      client.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const expected = "+OK\r\n$1\r\nv\r\n+PONG\r\n:1\r\n";
    expect(await client.expectBytes(expected)).toBe(expected);
  });

  it("of S21 100,000 mixed commands in one go is answered in order", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    let sent = "";
    let expected = "";
    for (let number = 0; number < 50_000; number++) {
      sent += request("SET", "n", String(number)) + request("GET", "n");
      expected += `+OK\r\n$${String(number).length}\r\n${number}\r\n`;
    }
    client.write(sent);
    expect((await client.expectBytes(expected)) === expected).toBe(true);
  });

  it("keeps to its limits of writes in flight and of commands put aside", async () => {
    const limits = { writesInFlightMax: 8, deferredCommandsMax: 4 };
    const test = await startTestServer({ limits });
    const { replica } = test;
    replica.autoCommit = false;
    let pendingMax = 0;
    replica.onSubmit = () => {
      pendingMax = Math.max(pendingMax, replica.pending.length);
    };
    const client = await test.connect();
    let sent = "";
    let expected = "";
    for (let number = 0; number < 100; number++) {
      sent += request("SET", "n", String(number));
      expected += "+OK\r\n";
      if (number % 3 > 0) continue;
      sent += request("GET", "n");
      expected += `$${String(number).length}\r\n${number}\r\n`;
    }
    client.write(sent);
    while (client.receivedBytes < expected.length) {
      await until(() => replica.pending.length > 0 || client.receivedBytes >= expected.length);
      replica.commit(1);
    }
    expect(await client.expectBytes(expected)).toBe(expected);
    expect(pendingMax).toBe(8);
  });

  it("keeps to its limit of bytes in flight, but takes one write of any size", async () => {
    const test = await startTestServer({ limits: { writeBytesInFlightMax: 1000 } });
    const { replica } = test;
    replica.autoCommit = false;
    const client = await test.connect();
    client.send(`SET a ${"x".repeat(5000)}`, "SET b 1", "GET b");
    await until(() => replica.pending.length === 1);
    const other = await test.connect();
    await other.ask("PING");
    expect(replica.pending.length).toBe(1);
    replica.commit();
    await until(() => replica.pending.length === 1);
    replica.commit();
    const all = "+OK\r\n+OK\r\n$1\r\n1\r\n";
    expect(await client.expectBytes(all)).toBe(all);
  });
});

describe("a client that leaves", () => {
  it.each(["reset", "closed"] as const)("%s does not take its writes with it", async (how) => {
    const { replica, connect, server } = await prepared();
    const client = await connect();
    client.send("SET a 1", "GET a", "SET b 2");
    await until(() => replica.pending.length === 2);
    if (how === "reset") client.socket.resetAndDestroy();
    else client.destroy();
    const other = await connect();
    await other.ask("PING");
    replica.commit();
    expect(await other.ask("GET", "b")).toBe("$1\r\n2\r\n");
    await until(() => server.clientCount === 1);
  });

  it("after closing its own side still gets the answers of what it sent", async () => {
    const { replica, connect } = await prepared();
    const client = await connect({ allowHalfOpen: true });
    client.socket.end(request("SET", "a", "1") + request("GET", "a"));
    await until(() => replica.pending.length === 1);
    await new Promise((resolve) => setImmediate(resolve));
    replica.commit();
    expect(await client.rest()).toBe("+OK\r\n$1\r\n1\r\n");
  });
});

/** Commits by hand. */
async function prepared() {
  const test = await startTestServer();
  test.replica.autoCommit = false;
  return { server: test.server, replica: test.replica, connect: test.connect.bind(test) };
}
