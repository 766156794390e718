/** The proxy does to connections what it says, and only in the direction it says. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freePorts } from "../../e2e/harness/free-ports.ts";
import { until, type TestCluster, type TestNode } from "../../e2e/harness/cluster.ts";
import { ProxyNetwork } from "./proxy-network.ts";

/** A process that connects to a port, passes on what it hears to its parent and sends what its parent says. */
const DIALER = `
  const socket = require("node:net").connect(Number(process.argv[1]), "127.0.0.1");
  socket.on("connect", () => process.send("connected"));
  socket.on("data", (bytes) => process.send("heard " + bytes));
  socket.on("error", (error) => process.send(error.code));
  socket.on("close", () => process.send("closed"));
  process.on("message", (text) => socket.write(text));
`;

const nodes = [0, 1, 2].map((index) => ({ index })) as unknown as TestNode[];
let network: ProxyNetwork;
let listener: Server;
let accepted: Socket[];
let heard: string;
let port: number;
const children = new Map<number, ChildProcess>();
const told = new Map<number, string[]>();

beforeEach(async () => {
  network = new ProxyNetwork(() => 0);
  accepted = [];
  heard = "";
  listener = createServer((socket) => {
    accepted.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => (heard += bytes.toString()));
  });
  const [target] = await freePorts(1);
  await new Promise<void>((resolve) => listener.listen(target, "127.0.0.1", resolve));
  const address = await network.clusterOptions.peerAddress!({
    index: 0,
    peerPort: target,
  } as TestNode);
  port = Number(address.split(":")[1]);
  await network.attach({
    nodes,
    isRunning: (index: number) => children.has(index),
    pid: (index: number) => children.get(index)!.pid!,
  } as unknown as TestCluster);
  await network.nodeStarts(0);
});

afterEach(async () => {
  for (const child of children.values()) child.kill("SIGKILL");
  children.clear();
  told.clear();
  await network.close();
  for (const socket of accepted) socket.destroy();
  listener.close();
});

/** A process that stands for a node, and has dialed node 0. */
function dial(node: number): ChildProcess {
  const child = spawn(process.execPath, ["-e", DIALER, String(port)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  children.set(node, child);
  const words: string[] = [];
  told.set(node, words);
  child.on("message", (text: string) => words.push(text));
  return child;
}

function tells(node: number, text: string): Promise<void> {
  return until(`node ${node} tells "${text}"`, () => told.get(node)!.includes(text));
}

/** Something that goes another way has arrived: what was sent before it has had its time. */
async function connected(node: number): Promise<ChildProcess> {
  const before = accepted.length;
  const child = dial(node);
  await until("the connection is through", () => accepted.length > before);
  return child;
}

it("passes bytes in both directions", async () => {
  const child = await connected(1);
  child.send("hello");
  await until("it is heard", () => heard === "hello");
  accepted[0].write("well");
  await tells(1, "heard well");
});

it("holds back one direction while it is cut, and delivers late what was sent meanwhile", async () => {
  const child = await connected(1);
  const heal = await network.impair([{ from: 1, to: 0, isCut: true }]);
  child.send("lost?");
  accepted[0].write("the other way");
  await tells(1, "heard the other way");
  expect(heard).toBe("");
  await heal();
  await until("it is delivered late", () => heard === "lost?");
});

it("tells whose connection it is: a cut of one node's line leaves the other's alone", async () => {
  const first = await connected(1);
  const second = await connected(2);
  await network.impair([{ from: 1, to: 0, isCut: true }]);
  first.send("one");
  second.send("two");
  await until("the second is heard", () => heard === "two");
});

it("leaves a node with half a connection when the other end dies behind a cut, until the cut ends", async () => {
  const child = await connected(1);
  const heal = await network.impair([
    { from: 1, to: 0, isCut: true },
    { from: 0, to: 1, isCut: true },
  ]);
  child.kill("SIGKILL");
  await once(child, "exit");
  accepted[0].write("anybody?");
  expect(accepted[0].destroyed).toBe(false);
  const closed = once(accepted[0], "close");
  await heal();
  await closed;
});

it("adds up what several faults do, and takes back only what one of them did", async () => {
  const child = await connected(1);
  const healFirst = await network.impair([{ from: 1, to: 0, isCut: true }]);
  const healSecond = await network.impair([{ from: 1, to: 0, isCut: true, delayMs: 10 }]);
  child.send("x");
  await healFirst();
  accepted[0].write("still?");
  await tells(1, "heard still?");
  expect(heard).toBe("");
  await healSecond();
  await until("it is heard", () => heard === "x");
});

it("delays, without changing the order", async () => {
  const child = await connected(1);
  await network.impair([{ from: 1, to: 0, delayMs: 300 }]);
  const sentMs = performance.now();
  for (const text of ["a", "b", "c"]) child.send(text);
  await until("all are heard", () => heard === "abc");
  expect(performance.now() - sentMs).toBeGreaterThanOrEqual(300);
});

it("breaks the connections of two nodes, and no others", async () => {
  await connected(1);
  const second = await connected(2);
  network.reset(0, 1);
  await tells(1, "closed");
  expect(told.get(1)).toContain("ECONNRESET");
  second.send("there");
  await until("the second is heard", () => heard === "there");
});

it("refuses dials of a node that is gone, and answers none of one whose lines are cut", async () => {
  listener.close();
  await network.nodeEnded(0);
  dial(1);
  await tells(1, "ECONNREFUSED");
  const heal = await network.impair([{ from: 2, to: 0, isCut: true }]);
  dial(2);
  await tells(2, "connected");
  expect(accepted).toHaveLength(0);
  await heal();
  await tells(2, "closed");
});

it("lets nobody through that is none of the nodes", async () => {
  const child = dial(1);
  children.delete(1);
  await tells(1, "closed");
  expect(accepted).toHaveLength(0);
  child.kill("SIGKILL");
});
