/** The whole program, briefly: it finds nothing in a cluster that keeps its promises, and everything in one that does not. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { pause, report, until } from "../e2e/harness/cluster.ts";
import { isPossible } from "./own-namespaces.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const CONDITIONS = ["--conditions=@ferrite/source", "--disable-warning=ExperimentalWarning"];
const MINUTES = process.env["FERRITE_CHAOS_MINUTES"] ?? "1.2";
const SECONDS_OF_A_CANARY = "0.1";
/** A run that lasts so much longer than the time it was given is stuck: it says where, and is ended. */
const STUCK_AFTER_MS = 150_000;
const DUMP_MS = 5000;

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

const running = new Set<ChildProcess>();
const kept: string[] = [];
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  for (const directory of kept.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function chaos(...words: readonly string[]): Run {
  const dumps = mkdtempSync(join(tmpdir(), "ferrite-chaos-dump-"));
  kept.push(dumps);
  const onSignal = ["--report-on-signal", "--report-signal=SIGUSR2", `--report-directory=${dumps}`];
  const child = spawn(process.execPath, [...CONDITIONS, ...onSignal, MAIN, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  const limitMs = minutesOf(words) * 60_000 + STUCK_AFTER_MS;
  let output = "";
  const watch = setTimeout(() => void tellAndEnd(child, dumps, output), limitMs);
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes: Buffer) => (output += bytes.toString()));
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      clearTimeout(watch);
      running.delete(child);
      resolve(code);
    });
  });
  return { child, output: () => output, ended };
}

/** 0 when it is given none, or no number. */
function minutesOf(words: readonly string[]): number {
  const at = words.indexOf("--minutes");
  return (at < 0 ? 0 : Number(words[at + 1])) || 0;
}

/** Shows what a run that does not end is doing: what it said last, how long it has computed, and what it waits for, if it waits. */
async function tellAndEnd(child: ChildProcess, dumps: string, said: string): Promise<void> {
  report(`chaos: ${child.spawnargs.slice(-4).join(" ")} did not end\n${said.slice(-2000)}`);
  const scheduling = `/proc/${child.pid}/schedstat`;
  if (existsSync(scheduling)) {
    const [computedNs] = readFileSync(scheduling, "utf8").split(" ");
    report(`its main thread has computed for ${Math.round(Number(computedNs) / 1e6)} ms`);
  } else report("it has ended itself: something that it started holds its output open");
  child.kill("SIGUSR2");
  await pause(DUMP_MS);
  // One that is already being taken apart writes none, and ends with the signal.
  for (const name of existsSync(dumps) ? readdirSync(dumps) : []) {
    const dump = JSON.parse(readFileSync(join(dumps, name), "utf8"));
    report(JSON.stringify({ stack: dump.javascriptStack, handles: dump.libuv }));
  }
  child.kill("SIGKILL");
  // Whoever else holds them: the run is over, and `close` has to come.
  child.stdout?.destroy();
  child.stderr?.destroy();
}

/** What a run that found something leaves for people to look at. */
function keptDirectory(output: string): string {
  const directory = /logs and data are kept in (\S+)/.exec(output)?.[1] ?? "";
  if (directory.startsWith(tmpdir())) kept.push(directory);
  return directory;
}

it(`${MINUTES} minutes of every kind of fault on three nodes break no promise`, async () => {
  const { output, ended } = chaos("--minutes", MINUTES);
  const code = await ended;
  const text = output();
  for (const line of text.split("\n")) report(line);
  keptDirectory(text);
  expect(text).toContain("chaos: nothing found");
  expect(code).toBe(0);
});

describe("a promise broken on purpose is found", () => {
  it.each([
    ["lost-write", /lists? .*: /],
    ["doubled-write", /duplicate: list:/],
    ["lost-element", /set: set:\d+: lost/],
    ["lost-increment", /counters .*: counter:/],
    ["stale-read", /registers linearizable: register:/],
  ])("%s", async (canary, finding) => {
    const { output, ended } = chaos("--minutes", SECONDS_OF_A_CANARY, "--canary", canary);
    const code = await ended;
    expect(output()).toMatch(finding);
    expect(code).toBe(1);
    const directory = keptDirectory(output());
    expect(readdirSync(directory)).toEqual(expect.arrayContaining(["node1", "node1.log"]));
  });
});

describe("however it ends, nothing of it goes on", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("by %s", async (signal) => {
    const { child, output, ended } = chaos("--minutes", "1", "--faults", "disk-full,pause");
    await until("a fault was made", () => / s {2}(disk|pause)/.test(output()));
    const nodes = nodesOf(child.pid!);
    expect(nodes).toHaveLength(3);
    child.kill(signal);
    expect(await ended).toBe(1);
    expect(output()).toContain("it was ended before its time");
    await until("its nodes are gone", () => nodes.every((pid) => !existsSync(`/proc/${pid}`)));
    expect(readFileSync("/proc/mounts", "utf8")).not.toContain("ferrite-small-disk");
    keptDirectory(output());
  });

  it("by SIGKILL", async () => {
    const { child, output, ended } = chaos("--minutes", "1", "--faults", "pause,disk");
    await until("a fault was made", () => / s {2}(disk|pause)/.test(output()));
    const nodes = nodesOf(child.pid!);
    const directories = nodes.flatMap(workingDirectory);
    child.kill("SIGKILL");
    await ended;
    // One that stands still ends when it goes on.
    for (const pid of nodes) resumeIfThere(pid);
    await until("its nodes are gone", () => nodes.every((pid) => !existsSync(`/proc/${pid}`)));
    expect(readFileSync("/proc/mounts", "utf8")).not.toContain("ferrite-small-disk");
    kept.push(...directories);
  });
});

it("says what is wrong with its arguments", async () => {
  for (const words of [
    ["--faults", "earthquake"],
    ["--nodes", "4"],
    ["--minutes", "soon"],
  ]) {
    const { output, ended } = chaos(...words);
    expect(await ended).toBe(2);
    expect(output()).toContain(words[1]);
  }
});

const canUseNamespaces = isPossible({ network: true });
if (!canUseNamespaces) report("no network namespaces here: the run in them is skipped");
it.skipIf(!canUseNamespaces)("works in network namespaces as well", async () => {
  const { output, ended } = chaos(
    "--network",
    "namespaces",
    "--minutes",
    "0.3",
    "--faults",
    "partition,kill",
  );
  const code = await ended;
  keptDirectory(output());
  expect(output()).toContain("chaos: nothing found");
  expect(code).toBe(0);
});

/** Process ids of the nodes that a run has started. */
function nodesOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children.split(" ").filter(Boolean).map(Number);
}

/** None of a process that has ended since: a helper of the run, or a node that a fault has ended. */
function workingDirectory(pid: number): string[] {
  try {
    const words = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return words.filter((word) => word.startsWith("HOME=")).map((word) => word.slice(5));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ESRCH" || code === "ENOENT") return [];
    throw error;
  }
}

function resumeIfThere(pid: number): void {
  if (existsSync(`/proc/${pid}`)) process.kill(pid, "SIGCONT");
}
