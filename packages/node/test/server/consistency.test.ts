import { describe, expect, it } from "vitest";
import { request } from "./support/raw-client.ts";
import { startTestServer } from "./support/test-server.ts";
import { until } from "./support/until.ts";

describe("reads", () => {
  it("of a session and local ones need no confirmation", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    expect(await client.ask("GET", "a")).toBe("$-1\r\n");
    expect(await client.ask("FERRITE.CONSISTENCY", "local")).toBe("+OK\r\n");
    expect(await client.ask("GET", "a")).toBe("$-1\r\n");
    expect(test.replica.confirmations.length).toBe(0);
  });

  it("are refused when this node is too stale, unless they are local", async () => {
    const test = await startTestServer();
    test.replica.staleness = "MASTERDOWN too stale";
    const client = await test.connect();
    expect(await client.ask("GET", "a")).toBe("-MASTERDOWN too stale\r\n");
    await client.ask("FERRITE.CONSISTENCY", "LOCAL");
    expect(await client.ask("GET", "a")).toBe("$-1\r\n");
  });

  it("that are linearizable wait for one confirmation for all that came together", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    await client.ask("FERRITE.CONSISTENCY", "linearizable");
    client.send("GET a", "GET b", "EXISTS a", "GET c");
    await until(() => test.replica.confirmations.length === 1);
    expect(client.receivedBytes).toBe(0);
    test.replica.confirm();
    const all = "$-1\r\n$-1\r\n:0\r\n$-1\r\n";
    expect(await client.expectBytes(all)).toBe(all);
    expect(test.replica.confirmations.length).toBe(0);
  });

  it("R29 that arrive while a confirmation is asked for need one of their own", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    await client.ask("FERRITE.CONSISTENCY", "linearizable");
    client.send("GET a");
    await until(() => test.replica.confirmations.length === 1);
    const [view] = [...test.server.clients()];
    const before = view.queryBufferBytes();
    client.send("GET b");
    await until(() => view.queryBufferBytes() > before);
    test.replica.confirm();
    expect(await client.reply()).toBe("$-1\r\n");
    await until(() => test.replica.confirmations.length === 1);
    expect(client.receivedBytes).toBe(0);
    test.replica.confirm();
    expect(await client.reply()).toBe("$-1\r\n");
  });

  it("that are linearizable stand in order between writes", async () => {
    const test = await startTestServer();
    test.replica.autoCommit = false;
    const client = await test.connect();
    await client.ask("FERRITE.CONSISTENCY", "linearizable");
    client.send("SET a 1", "GET a", "SET a 2", "GET a", "GET a");
    await until(() => test.replica.pending.length === 1);
    test.replica.commit();
    expect(await client.reply()).toBe("+OK\r\n");
    await until(() => test.replica.confirmations.length === 1);
    test.replica.confirm();
    expect(await client.reply()).toBe("$1\r\n1\r\n");
    await until(() => test.replica.pending.length === 1);
    test.replica.commit();
    const all = "+OK\r\n$1\r\n2\r\n$1\r\n2\r\n";
    expect(await client.expectBytes(all)).toBe(all);
  });

  it("that could not be confirmed all get the error, and the next ones ask again", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    await client.ask("FERRITE.CONSISTENCY", "linearizable");
    client.send("GET a", "GET b");
    await until(() => test.replica.confirmations.length === 1);
    test.replica.confirm("CLUSTERDOWN no leader");
    const all = "-CLUSTERDOWN no leader\r\n-CLUSTERDOWN no leader\r\n";
    expect(await client.expectBytes(all)).toBe(all);
    client.send("GET a");
    await until(() => test.replica.confirmations.length === 1);
    test.replica.confirm();
    expect(await client.reply()).toBe("$-1\r\n");
  });

  it("of a client that has left are not run when their confirmation comes", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    await client.ask("FERRITE.CONSISTENCY", "linearizable");
    client.send("GET a");
    await until(() => test.replica.confirmations.length === 1);
    client.socket.resetAndDestroy();
    await until(() => test.server.clientCount === 0);
    test.replica.runRead = () => {
      throw new Error("nobody reads");
    };
    test.replica.confirm();
    const other = await test.connect();
    expect(await other.ask("PING")).toBe("+PONG\r\n");
  });
});

describe("FERRITE.CONSISTENCY", () => {
  it("is what read-consistency says, is set per connection and reset by RESET", async () => {
    const test = await startTestServer({ config: { readConsistency: "local" } });
    const client = await test.connect();
    expect(await client.ask("FERRITE.CONSISTENCY")).toBe("$5\r\nlocal\r\n");
    expect(await client.ask("ferrite.consistency", "Session")).toBe("+OK\r\n");
    expect(await client.ask("FERRITE.CONSISTENCY")).toBe("$7\r\nsession\r\n");
    const other = await test.connect();
    expect(await other.ask("FERRITE.CONSISTENCY")).toBe("$5\r\nlocal\r\n");
    expect(await client.ask("RESET")).toBe("+RESET\r\n");
    expect(await client.ask("FERRITE.CONSISTENCY")).toBe("$5\r\nlocal\r\n");
  });

  it("names its levels when another is asked for", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    const error =
      "-ERR consistency is one of: session, linearizable, lease, bounded <ms>, local\r\n";
    expect(await client.ask("FERRITE.CONSISTENCY", "eventual")).toBe(error);
    expect(await client.ask("FERRITE.CONSISTENCY", "local", "x")).toBe(error);
    expect(await client.ask("FERRITE.CONSISTENCY", "bounded", "5", "x")).toBe(error);
  });

  it("takes a bound in milliseconds, or the configured one", async () => {
    const test = await startTestServer({ config: { readBoundMs: 750 } });
    const client = await test.connect();
    expect(await client.ask("FERRITE.CONSISTENCY", "bounded", "200")).toBe("+OK\r\n");
    expect(await client.ask("FERRITE.CONSISTENCY")).toBe("$11\r\nbounded 200\r\n");
    expect(await client.ask("FERRITE.CONSISTENCY", "BOUNDED")).toBe("+OK\r\n");
    expect(await client.ask("FERRITE.CONSISTENCY")).toBe("$11\r\nbounded 750\r\n");
    for (const bound of ["0", "-1", "x", "86400001"]) {
      expect(await client.ask("FERRITE.CONSISTENCY", "bounded", bound)).toMatch(/^-ERR a bound/);
    }
    expect(await client.ask("FERRITE.CONSISTENCY")).toBe("$11\r\nbounded 750\r\n");
  });

  it.each(["lease", "bounded 300"])(
    "answers a read of level %s at once where the replica says so, and asks the leader otherwise",
    async (level) => {
      const test = await startTestServer();
      const client = await test.connect();
      await client.ask("FERRITE.CONSISTENCY", ...level.split(" "));
      const asked: string[] = [];
      test.replica.readsNow = (name, boundMs) => asked.push(`${name} ${boundMs}`) > 0;
      expect(await client.ask("GET", "a")).toBe("$-1\r\n");
      expect(asked).toEqual([level === "lease" ? "lease 1000" : level]);
      expect(test.replica.confirmations).toEqual([]);

      test.replica.readsNow = () => false;
      client.send("GET a");
      await until(() => test.replica.confirmations.length === 1);
      expect(client.receivedBytes).toBe(0);
      test.replica.confirm();
      expect(await client.expectBytes("$-1\r\n")).toBe("$-1\r\n");
    },
  );

  it("never reads past a write of its own that waits, lease or not", async () => {
    const test = await startTestServer();
    test.replica.autoCommit = false;
    test.replica.readsNow = () => true;
    const client = await test.connect();
    await client.ask("FERRITE.CONSISTENCY", "lease");
    client.write(request("SET", "a", "1") + request("GET", "a"));
    await until(() => test.replica.pending.length === 1);
    expect(client.receivedBytes).toBe(0);
    test.replica.commit();
    expect(await client.expectBytes("+OK\r\n$1\r\n1\r\n")).toBe("+OK\r\n$1\r\n1\r\n");
  });
});

describe("WAIT", () => {
  it("asks for the position of the connection's own last write and holds back what follows", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    await client.ask("SET", "a", "1");
    client.send("WAIT 2 500", "PING");
    await until(() => test.replica.waits.length === 1);
    expect(test.replica.waits[0]).toMatchObject({ index: 11, wanted: 2, timeoutMs: 500 });
    expect(client.receivedBytes).toBe(0);
    test.replica.waits[0].done(1);
    expect(await client.expectBytes(":1\r\n+PONG\r\n")).toBe(":1\r\n+PONG\r\n");
  });

  it("waits for the write before it in its pipeline", async () => {
    const test = await startTestServer();
    test.replica.autoCommit = false;
    const client = await test.connect();
    client.write(request("SET", "a", "1") + request("WAIT", "0", "0") + request("PING"));
    await until(() => test.replica.pending.length === 1);
    expect(test.replica.waits.length).toBe(0);
    test.replica.commit();
    const all = "+OK\r\n:0\r\n+PONG\r\n";
    expect(await client.expectBytes(all)).toBe(all);
  });

  it("answers at once when enough nodes have it", async () => {
    const test = await startTestServer();
    test.replica.copies = 2;
    const client = await test.connect();
    expect(await client.ask("WAIT", "2", "0")).toBe(":2\r\n");
    expect(await client.ask("WAIT", "-1", "0")).toBe(":2\r\n");
    expect(await client.ask("WAIT", "0", "9223372036854775807")).toBe(":2\r\n");
  });

  it("gives up when its client leaves", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    client.send("WAIT 1 0");
    await until(() => test.replica.waits.length === 1);
    client.destroy();
    await until(() => test.server.clientCount === 0);
    expect(test.replica.waitsGivenUp).toBe(1);
  });

  it.each([
    [["x", "0"], "-ERR value is not an integer or out of range\r\n"],
    [["0", "-1"], "-ERR timeout is negative\r\n"],
    [["0", "x"], "-ERR timeout is not an integer or out of range\r\n"],
    [["0", "9999999999999999999"], "-ERR timeout is not an integer or out of range\r\n"],
  ])("refuses %j as Redis does", async (words, answer) => {
    const test = await startTestServer();
    const client = await test.connect();
    expect(await client.ask("WAIT", ...words)).toBe(answer);
  });
});
