/**
 * Clients that come from the network, where nobody is known by being there: protected mode (S24), guessing passwords
 * (S14, S26), and connections that never log in (S23). This machine's own clients are the way in that stays.
 */
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { TestCluster, pause, report, until } from "../../e2e/harness/cluster.ts";
import { RespClient, RespError, type RespValue } from "../../e2e/harness/resp-client.ts";
import { ownAddress } from "./support/own-address.ts";
import { SilentClient } from "./support/silent-client.ts";

const address = ownAddress();
const NODES = [0, 1, 2];
/** The node that clients from the network come to. */
const NODE = 1;
const WRONGPASS = "WRONGPASS invalid username-password pair or user is disabled.";
/** Three that cost nothing, and the one after which the next has to wait. */
const FREE_FAILURES = 4;
/** What the next ones have to wait, in turn (auth-throttle). */
const DELAYS_MS = [100, 200, 400, 800];
/** Timers end up to this much before their time as another clock sees it. */
const CLOCK_SLACK_MS = 5;

let cluster: TestCluster;
let administrator: RespClient;
const open: { close(): void }[] = [];
const socketPath = (): string => join(cluster.directory, "node.sock");

beforeAll(async () => {
  if (address === null) return;
  cluster = await TestCluster.prepare({ settings: { bind: `127.0.0.1 ${address}` } });
  for (const node of NODES) {
    cluster.spawn(node, node === NODE ? { unixsocket: socketPath() } : {});
  }
  await Promise.all(NODES.map((node) => cluster.ready(node)));
  administrator = await cluster.client(NODE);
});
afterEach(() => {
  for (const client of open.splice(0)) client.close();
});
afterAll(async () => {
  administrator?.close();
  await cluster?.close();
});

function kept<Client extends { close(): void }>(client: Client): Client {
  open.push(client);
  return client;
}

async function fromNetwork(): Promise<RespClient> {
  return kept(await RespClient.connect(cluster.nodes[NODE].port, address!));
}

async function silentFromNetwork(): Promise<SilentClient> {
  return kept(await SilentClient.connect(cluster.nodes[NODE].port, address!));
}

function errorText(reply: RespValue): string {
  return reply instanceof RespError ? reply.text : `no error: ${JSON.stringify(reply)}`;
}

async function ok(answer: Promise<RespValue>): Promise<void> {
  expect(await answer).toBe("OK");
}

async function trail(): Promise<string> {
  return JSON.stringify(await administrator.call("FERRITE.AUDIT", "RECENT", "200"));
}

async function timed<Value>(work: () => Promise<Value>): Promise<{ value: Value; tookMs: number }> {
  const startedAtMs = performance.now();
  const value = await work();
  return { value, tookMs: performance.now() - startedAtMs };
}

describe.skipIf(address === null)("protected mode", () => {
  it("refuses clients from the network while no user has a password, says how to open up, and is in the trail (S24, F68, F95)", async () => {
    const words = await (await silentFromNetwork()).lastWords();
    expect(words).toMatch(/^-DENIED .*protected mode.*ACL SETUSER .*\r\n$/);
    expect(await trail()).toContain("protected");
  });

  it("serves every client of this machine: loopback, the whole 127/8, the Unix socket (S24, F67, F71)", async () => {
    expect(await administrator.call("ACL", "WHOAMI")).toBe("default");
    const other = kept(
      await SilentClient.connect(cluster.nodes[NODE].port, "127.0.0.1", "127.9.8.7"),
    );
    await pause(100);
    expect(other.isClosed).toBe(false);
    const unix = kept(await RespClient.connectUnix(socketPath()));
    expect(await unix.call("ACL", "WHOAMI")).toBe("default");
    await ok(unix.call("SET", "over", "unix"));
  });

  it("ends on every node with the first password, and does not hand out the default user: who comes in has to log in (S24, D7, F69, F73)", async () => {
    await ok(cluster.call(0, "ACL", "SETUSER", "alice", "on", ">alice-password", "~*", "+@all"));
    const client = await fromNetwork();
    expect(errorText(await client.call("GET", "over"))).toMatch(/^NOAUTH /);
    expect(errorText(await client.call("AUTH", "default", "anything"))).toBe(WRONGPASS);
    expect(errorText(await client.call("AUTH", "anything"))).toMatch(
      /^ERR AUTH <password> called without any password configured for the default user/,
    );
    expect(errorText(await client.call("GET", "over"))).toMatch(/^NOAUTH /);
    await ok(client.call("AUTH", "alice", "alice-password"));
    expect(await client.call("GET", "over")).toBe("unix");
    expect(await administrator.call("ACL", "WHOAMI")).toBe("default");
  });

  it("comes back with the last password: users that are disabled or have none do not count (F70)", async () => {
    await ok(cluster.call(2, "ACL", "SETUSER", "open", "on", "~*", "+@all"));
    await ok(cluster.call(2, "ACL", "SETUSER", "alice", "off"));
    expect(await (await silentFromNetwork()).lastWords()).toMatch(/^-DENIED /);
    await ok(cluster.call(2, "ACL", "SETUSER", "alice", "on"));
    const client = await fromNetwork();
    await ok(client.call("AUTH", "alice", "alice-password"));
    expect(await cluster.call(2, "ACL", "DELUSER", "open")).toBe(1);
  });
});

describe.skipIf(address === null)("guessing a password from the network", () => {
  it("takes longer and longer for one user from one address, also through HELLO, and nobody else has to wait (S26, F15)", async () => {
    const working = await fromNetwork();
    await ok(working.call("AUTH", "alice", "alice-password"));
    await ok(cluster.call(0, "ACL", "SETUSER", "bob", "on", ">bob-password", "~*", "+@all"));
    const guesser = await fromNetwork();
    for (let failure = 0; failure < FREE_FAILURES; failure++) {
      expect(errorText(await guesser.call("AUTH", "alice", `guess ${failure}`))).toBe(WRONGPASS);
    }
    const delays: number[] = [];
    for (const [at, delayMs] of DELAYS_MS.entries()) {
      const words =
        at % 2 === 0
          ? ["AUTH", "alice", `guess ${delayMs}`]
          : ["HELLO", "2", "AUTH", "alice", `guess ${delayMs}`];
      const { value, tookMs } = await timed(() => guesser.call(...words));
      expect(errorText(value)).toBe(WRONGPASS);
      delays.push(tookMs);
      expect(tookMs).toBeGreaterThanOrEqual(delayMs - CLOCK_SLACK_MS);
    }
    report(`guesses after the free ones took ${delays.map(Math.round).join(", ")} ms`);

    // While the next guess waits: who is in stays in, this machine gets in at once, others too, the owner after a while.
    const waiting = guesser.call("AUTH", "alice", "the next guess");
    const state = { isOver: false };
    void waiting.then(() => (state.isOver = true));
    expect(await working.call("GET", "over")).toBe("unix");
    const local = kept(await cluster.client(NODE));
    await ok(local.call("AUTH", "alice", "alice-password"));
    const unix = kept(await RespClient.connectUnix(socketPath()));
    await ok(unix.call("AUTH", "alice", "alice-password"));
    const bob = await fromNetwork();
    await ok(bob.call("AUTH", "bob", "bob-password"));
    expect(state.isOver, "none of these waited for the guesser").toBe(false);
    const facts = await cluster.info(NODE, "security");
    expect(Number(facts.get("auth_delayed_users"))).toBeGreaterThanOrEqual(1);
    expect(errorText(await waiting)).toBe(WRONGPASS);
    const owner = await fromNetwork();
    const { value, tookMs } = await timed(() => owner.call("AUTH", "alice", "alice-password"));
    expect(value).toBe("OK");
    expect(tookMs).toBeGreaterThan(DELAYS_MS.at(-1)!);
    report(
      `the owner of the password, from the same address, waited ${Math.round(tookMs)} ms and was let in`,
    );
    const metrics = await fetch(`http://127.0.0.1:${cluster.nodes[NODE].httpPort}/metrics`);
    expect(await metrics.text()).toMatch(/auth\w*throttl|throttl\w*auth/i);
  });

  it("takes as long for a user that there is not, or that is off: same text, same delays (S14, S26, F14)", async () => {
    await ok(
      cluster.call(0, "ACL", "SETUSER", "resting", "off", ">resting-password", "~*", "+@all"),
    );
    for (const name of ["nobody-of-that-name", "resting"]) {
      const guesser = await fromNetwork();
      for (let failure = 0; failure < FREE_FAILURES; failure++) {
        expect(errorText(await guesser.call("AUTH", name, "resting-password"))).toBe(WRONGPASS);
      }
      for (const delayMs of DELAYS_MS.slice(0, 2)) {
        const { value, tookMs } = await timed(() => guesser.call("AUTH", name, "resting-password"));
        expect(errorText(value)).toBe(WRONGPASS);
        expect(tookMs).toBeGreaterThanOrEqual(delayMs - CLOCK_SLACK_MS);
      }
    }
  });
});

describe.skipIf(address === null)("clients that never log in", () => {
  it("are refused beyond unauthenticated-clients-max, while there is room for this machine and for who is in (S23)", async () => {
    const alice = await fromNetwork();
    await ok(alice.call("AUTH", "alice", "alice-password"));
    await ok(administrator.call("CONFIG", "SET", "unauthenticated-clients-max", "3"));
    const strangers = [];
    for (let count = 0; count < 3; count++) strangers.push(await silentFromNetwork());
    const beyond = await (await silentFromNetwork()).lastWords();
    expect(beyond).toMatch(/^-ERR max number of clients that have not logged in reached\r\n$/);
    expect(await alice.call("GET", "over")).toBe("unix");
    const local = kept(await cluster.client(NODE));
    expect(await local.call("ACL", "WHOAMI")).toBe("default");
    expect(strangers.map(({ isClosed }) => isClosed)).toEqual([false, false, false]);
    expect(await trail()).toContain("unauthenticated-clients-max");
    strangers[0].close();
    await until("there is room for another one", async () => {
      const client = await silentFromNetwork();
      await pause(20);
      return !client.isClosed;
    });
    await ok(administrator.call("CONFIG", "SET", "unauthenticated-clients-max", "1000"));
  });

  it("are closed after auth-timeout-ms; who is logged in is not (S23)", async () => {
    await ok(administrator.call("CONFIG", "SET", "auth-timeout-ms", "600"));
    const alice = await fromNetwork();
    await ok(alice.call("AUTH", "alice", "alice-password"));
    const { tookMs } = await timed(async () => (await silentFromNetwork()).lastWords());
    report(`a client that says nothing was closed after ${Math.round(tookMs)} ms`);
    expect(tookMs).toBeGreaterThanOrEqual(600 - CLOCK_SLACK_MS);
    // One that talks without logging in is no better.
    const talking = await fromNetwork();
    let refused = 0;
    while (talking.isOpen) {
      const reply = await talking.call("GET", "over").catch(() => null);
      if (reply !== null) expect(errorText(reply)).toMatch(/^NOAUTH /);
      refused++;
      await pause(20);
    }
    expect(refused).toBeGreaterThan(1);
    expect(await alice.call("GET", "over")).toBe("unix");
    expect(await trail()).toContain("auth-timeout-ms");
    await ok(administrator.call("CONFIG", "SET", "auth-timeout-ms", "10000"));
  });
});
