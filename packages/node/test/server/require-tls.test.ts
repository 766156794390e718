import { beforeAll, describe, expect, it } from "vitest";
import { startTestServer } from "./support/test-server.ts";
import type { TestServer } from "./support/test-server.ts";
import { request } from "./support/raw-client.ts";
import { TlsRoom } from "./support/tls-room.ts";

const REFUSAL = "-ERR TLS required: plaintext connections are not permitted\r\n";
let room: TlsRoom;

beforeAll(async () => {
  room = await TlsRoom.create({ asksClients: false });
});

function start(): Promise<TestServer> {
  return startTestServer({ credentials: room.credentials, config: { requireTls: true } });
}

describe("require-tls yes", () => {
  it.each([
    "GET k",
    "SET k v",
    "AUTH pass",
    "CLIENT LIST",
    "INFO",
    "NOSUCH",
    "HELLO 3 AUTH default x",
  ])("refuses %s in the clear and closes the connection (F75)", async (command) => {
    const test = await start();
    const client = await test.connect();
    client.send(command, "PING");
    expect(await client.rest()).toBe(REFUSAL);
    expect(test.server.tls.plaintextRefusals).toBe(1);
    expect(test.access.events.at(-1)).toMatchObject({
      action: "connection.refused.tls",
      client: { isTls: false },
    });
  });

  it("answers what health checks ask: PING, HELLO without a password, QUIT", async () => {
    const test = await start();
    const client = await test.connect();
    expect(await client.ask("PING")).toBe("+PONG\r\n");
    expect(await client.ask("HELLO", "2")).toMatch(/^\*14\r\n/);
    expect(await client.ask("QUIT")).toBe("+OK\r\n");
    expect(test.server.tls.plaintextRefusals).toBe(0);
  });

  it("refuses a large request by its name, before its bytes have come (S20)", async () => {
    const test = await start();
    const client = await test.connect();
    client.write(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${30 * 1024 * 1024}\r\n${"x".repeat(100_000)}`);
    expect(await client.rest()).toBe(REFUSAL);
  });

  it("keeps the order of what was answered before in a pipeline", async () => {
    const test = await start();
    const client = await test.connect();
    client.write(request("PING") + request("GET", "k") + request("PING"));
    expect(await client.rest()).toBe(`+PONG\r\n${REFUSAL}`);
  });

  it("does not concern TLS", async () => {
    const test = await start();
    const client = await test.connectTls(room.anonymous);
    expect(await client.ask("SET", "k", "v")).toBe("+OK\r\n");
  });

  it("holds for open connections as soon as it is set, and no longer than it is (F81)", async () => {
    const test = await startTestServer({ credentials: room.credentials });
    const before = await test.connect();
    expect(await before.ask("SET", "k", "v")).toBe("+OK\r\n");
    test.change({ requireTls: true });
    const refused = await test.connect();
    before.send("GET k");
    refused.send("GET k");
    expect(await before.rest()).toBe(REFUSAL);
    expect(await refused.rest()).toBe(REFUSAL);
    const waiting = await test.connect();
    await waiting.ask("PING");
    test.change({ requireTls: false });
    expect(await waiting.ask("GET", "k")).toBe("$1\r\nv\r\n");
  });
});
