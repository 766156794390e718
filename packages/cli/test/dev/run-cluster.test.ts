import { SIGNAL_ECHO_MS } from "../../src/start/stop-signals.ts";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { requireFreePorts } from "../../src/dev/free-ports.ts";
import { planCluster } from "../../src/dev/plan.ts";

const FERRITE = fileURLToPath(new URL("../fixtures/fake-ferrite.ts", import.meta.url));

// Each test starts up to four processes that read their sources first.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

interface Dev {
  readonly process: ChildProcess;
  readonly dataDirectory: string;
  readonly basePort: number;
  /** Everything printed so far, both streams. */
  output(): string;
  /** Resolves when the text has been printed; rejects when the program ends without it. */
  printed(text: string): Promise<void>;
  readonly exited: Promise<number | null>;
}

/** A base port whose whole cluster is free. Below the range that the system gives to clients. */
async function freeBasePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const basePort = 12_000 + Math.floor(Math.random() * 8000);
    try {
      await requireFreePorts(
        planCluster({ nodes: 3, basePort, dataDirectory: "", tls: true, settings: [] }),
      );
      return basePort;
    } catch {
      // Taken: another one is tried.
    }
  }
  throw new Error("no free ports found");
}

async function startDev(
  environment: Record<string, string> = {},
  args: readonly string[] = [],
): Promise<Dev> {
  const dataDirectory = mkdtempSync(join(tmpdir(), "ferrite-cluster-"));
  const basePort = await freeBasePort();
  const child = spawn(
    process.execPath,
    [
      "--conditions=@ferrite/source",
      "--disable-warning=ExperimentalWarning",
      FERRITE,
      "dev",
      "--data-dir",
      dataDirectory,
      "--base-port",
      String(basePort),
      ...args,
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...environment } },
  );
  let text = "";
  const onText = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (bytes: Buffer) => {
      text += bytes.toString();
      for (const listener of onText) listener();
    });
  }
  const exited = new Promise<number | null>((resolve) =>
    child.once("close", (code) => resolve(code)),
  );
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
    await Promise.all(nodePids(dataDirectory).map(gone));
    rmSync(dataDirectory, { recursive: true, force: true });
  });
  return {
    process: child,
    dataDirectory,
    basePort,
    exited,
    output: () => text,
    printed: (wanted) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (text.includes(wanted)) resolve();
        };
        onText.add(look);
        look();
        void exited.then(() => reject(new Error(`ended without "${wanted}":\n${text}`)));
      }),
  };
}

function nodePids(dataDirectory: string): number[] {
  return ["node1", "node2", "node3"]
    .map((name) => join(dataDirectory, `${name}.pid`))
    .filter((path) => existsSync(path))
    .map((path) => Number(readFileSync(path, "utf8")));
}

/** Resolves when the process has ended. There is no event for a process that is not our child. */
async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that has ended and was not waited for yet is a zombie, which is as good as gone.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

describe("ferrite dev", () => {
  it("brings three nodes up, says who leads and what to paste, and Ctrl-C stops all, the leader last", async () => {
    const dev = await startDev();
    await dev.printed("Ctrl-C stops all nodes.");
    expect(dev.output()).toContain("3 nodes are up, node1 leads (term 5)");
    expect(dev.output()).toContain(`redis-cli -p ${dev.basePort + 100} get greeting`);
    expect(dev.output()).toMatch(
      new RegExp(
        `redis-cli --tls -p ${dev.basePort + 1} --cacert \\S+/certs/ca.crt --cert \\S+/client-dev.crt`,
      ),
    );
    const pids = nodePids(dev.dataDirectory);
    expect(pids).toHaveLength(3);
    // While nodes start, their warnings are for the log alone.
    expect(dev.output()).not.toContain("only pretends");
    process.kill(pids[1], "SIGUSR2");
    await dev.printed("node2 | warn something is odd");
    dev.process.kill("SIGINT");
    expect(await dev.exited).toBe(0);
    expect(dev.output()).toMatch(/Stopping all nodes, the leader last \.\.\.\nStopped\.\n$/);
    const stops = readFileSync(join(dev.dataDirectory, "stops"), "utf8").trim().split("\n");
    expect(stops.at(-1)).toBe("node1");
    expect(stops.toSorted()).toEqual(["node1", "node2", "node3"]);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it("a node that dies is reported with its last lines and how to start it again; the others stay", async () => {
    const dev = await startDev();
    await dev.printed("Ctrl-C stops all nodes.");
    const [first, second, third] = nodePids(dev.dataDirectory);
    process.kill(second, "SIGKILL");
    await dev.printed("start it again with: ");
    expect(dev.output()).toContain(
      "node2 | has ended with signal SIGKILL; the last lines of its log:",
    );
    expect(dev.output()).toContain("node2 |   warn this node only pretends");
    expect(dev.output()).toMatch(
      /start it again with: node \S*fake-ferrite\.ts start --config \S*node2\.conf/,
    );
    expect([first, third].map((pid) => isAlive(pid))).toEqual([true, true]);
    dev.process.kill("SIGTERM");
    expect(await dev.exited).toBe(0);
  });

  it("leaves no node behind when it is killed itself", async () => {
    const dev = await startDev();
    await dev.printed("Ctrl-C stops all nodes.");
    const pids = nodePids(dev.dataDirectory);
    dev.process.kill("SIGKILL");
    await Promise.all(pids.map(gone));
    const stops = readFileSync(join(dev.dataDirectory, "stops"), "utf8").trim().split("\n");
    expect(stops).toHaveLength(3);
  });

  it("a second Ctrl-C ends nodes that do not stop", async () => {
    const dev = await startDev({ FAKE_NODE_HANGS: "node1,node2,node3" });
    await dev.printed("Ctrl-C stops all nodes.");
    const pids = nodePids(dev.dataDirectory);
    dev.process.kill("SIGINT");
    await dev.printed("Stopping all nodes");
    // Sooner it would be taken for the echo of the first.
    await new Promise((resolve) => setTimeout(resolve, SIGNAL_ECHO_MS + 50));
    dev.process.kill("SIGINT");
    expect(await dev.exited).toBe(130);
    await Promise.all(pids.map(gone));
  });

  it("goes on with two of three when one can not start, and says why it can not", async () => {
    const dev = await startDev({ FAKE_NODE_FAILS: "node3" });
    await dev.printed("Ctrl-C stops all nodes.");
    await dev.printed("start it again with: ");
    expect(dev.output()).toContain("node3 |   ferrite: segment 7 of node3 is damaged");
    expect(dev.output()).toMatch(/node3\s+down/);
    dev.process.kill("SIGINT");
    expect(await dev.exited).toBe(0);
  });

  it("gives up when too few can start, and stops the rest", async () => {
    const dev = await startDev({ FAKE_NODE_FAILS: "node2,node3" });
    expect(await dev.exited).toBe(1);
    expect(dev.output()).toContain("ferrite: only 1 of 3 nodes run");
    expect(nodePids(dev.dataDirectory).filter(isAlive)).toEqual([]);
  });

  it("a port that is taken is named before anything is started", async () => {
    const holder = createServer();
    onTestFinished(() => void holder.close());
    const basePort = await freeBasePort();
    await new Promise<void>((resolve) => holder.listen(basePort + 100, "127.0.0.1", resolve));
    const dev = await startDev({}, ["--base-port", String(basePort)]);
    expect(await dev.exited).toBe(1);
    expect(dev.output()).toContain(
      `ferrite: Port ${basePort + 100} (clients of node2) is already in use.`,
    );
    expect(dev.output()).toContain("--base-port");
    expect(nodePids(dev.dataDirectory)).toEqual([]);
  });

  it("a wrong setting is told once, before anything is started", async () => {
    const dev = await startDev({}, ["--set", "maxclients=none"]);
    expect(await dev.exited).toBe(1);
    expect(dev.output()).toBe(
      `ferrite: --set maxclients: maxclients: argument couldn't be parsed into an integer (got "none")\n`,
    );
  });

  it("one node without TLS is a cluster without certificates", async () => {
    const dev = await startDev({}, ["--nodes", "1", "--no-tls"]);
    await dev.printed("Ctrl-C stops it.");
    expect(dev.output()).toContain("one node is up, node1 leads");
    expect(existsSync(join(dev.dataDirectory, "certs"))).toBe(false);
    dev.process.kill("SIGINT");
    expect(await dev.exited).toBe(0);
  });
});
