/** Runs a development cluster from the first check to the last process. */
import { basename } from "node:path";
import { parseConfig } from "@ferrite/node/config";
import { listenForStop, type StopSignals } from "../start/stop-signals.ts";
import { shortPath } from "../terminal/short-path.ts";
import type { World } from "../world.ts";
import { announcementLines } from "./announcement.ts";
import type { ChildNode, ChildNodeEvents } from "./child-node.ts";
import { DevCluster } from "./cluster.ts";
import { prepareDataDirectory } from "./data-directory.ts";
import { requireFreePorts } from "./free-ports.ts";
import { lastLogLines, shortLogLine } from "./log-lines.ts";
import { planCluster, type DevOptions } from "./plan.ts";

/** How often it is looked who leads, to tell when that changes. */
const WATCH_INTERVAL_MS = 1000;
const LAST_LINES = 5;

/** Resolves with the exit status when all nodes have ended. Throws CliError when the cluster does not come up. */
export async function runCluster(options: DevOptions, world: World): Promise<number> {
  checkSettings(options, world);
  const plan = planCluster(options);
  await requireFreePorts(plan);
  await prepareDataDirectory(options, plan);

  const reporter = new Reporter(world);
  const cluster = new DevCluster(plan, world, reporter);
  const signals = listenForStop(world.process, {
    ignoreInterrupt: false,
    beforeExit: () => cluster.kill(),
  });
  try {
    return await run(cluster, { reporter, signals, world, dataDirectory: options.dataDirectory });
  } catch (error) {
    reporter.stopping = true;
    await reporter.reportUnready(cluster.running);
    await cluster.stop();
    throw error;
  } finally {
    signals.release();
    await reporter.flush();
  }
}

interface Running {
  readonly reporter: Reporter;
  readonly signals: StopSignals;
  readonly world: World;
  readonly dataDirectory: string;
}

async function run(cluster: DevCluster, running: Running): Promise<number> {
  const { reporter, signals, world } = running;
  const stopAsked = new AbortController();
  void signals.first.then(() => stopAsked.abort());
  const leadership = await untilLedUnlessStopped(cluster, stopAsked.signal);
  if (leadership !== null) {
    for (const line of announcementLines(cluster.nodes, leadership, running)) world.print(line);
    reporter.quiet = false;
    const watch = watchLeader(cluster, { current: leadership.leader, world });
    const allGone = Promise.all(cluster.nodes.map((node) => node.exited)).then(
      () => "allGone" as const,
    );
    const end = await Promise.race([signals.first, allGone]);
    clearInterval(watch);
    if (end === "allGone") {
      world.complain("All nodes have ended.");
      return 1;
    }
  }
  reporter.stopping = true;
  world.print("");
  world.print(
    `Stopping ${cluster.running.length === 1 ? "the node" : "all nodes, the leader last"} ...`,
  );
  await cluster.stop();
  world.print("Stopped.");
  return 0;
}

async function untilLedUnlessStopped(
  cluster: DevCluster,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<DevCluster["untilLed"]>> | null> {
  try {
    return await cluster.untilLed(signal);
  } catch (error) {
    // Someone who stops a cluster that is starting wants to see it end, not why it has no leader.
    if (signal.aborted) return null;
    throw error;
  }
}

/** A wrong setting is told before any process is started, once and not by every node. */
function checkSettings(options: DevOptions, world: World): void {
  parseConfig(
    { flags: options.settings },
    { hostname: "node1", workingDirectory: world.workingDirectory, isTerminal: false },
  );
}

function watchLeader(
  cluster: DevCluster,
  watch: { current: ChildNode; readonly world: World },
): NodeJS.Timeout {
  const { world } = watch;
  const look = async (): Promise<void> => {
    const leadership = await cluster.leadership();
    if (leadership === null || leadership.leader === watch.current) return;
    watch.current = leadership.leader;
    world.print(
      `${world.style.bold(leadership.leader.plan.name)} leads now (term ${leadership.term})`,
    );
  };
  return setInterval(() => void look(), WATCH_INTERVAL_MS);
}

/** Tells on the screen what happens to the nodes. */
class Reporter implements ChildNodeEvents {
  stopping = false;
  /** While nodes start they can not reach each other yet, and say so; that is in their logs and worries nobody here. */
  quiet = true;
  readonly #world: World;
  #pending: Promise<void> = Promise.resolve();

  constructor(world: World) {
    this.#world = world;
  }

  onWarning(node: ChildNode, line: string): void {
    if (!this.stopping && !this.quiet)
      this.#world.complain(this.#prefixed(node, shortLogLine(line)));
  }

  onExit(node: ChildNode): void {
    if (this.stopping && node.ending === "exit status 0") return;
    // One report after the other, so that the lines of two nodes do not mix.
    this.#pending = this.#pending.then(() => this.#reportExit(node));
  }

  /** Resolves when everything has been printed. */
  flush(): Promise<void> {
    return this.#pending;
  }

  /** Why a cluster has not come up is mostly in the last lines of the nodes that still try. */
  async reportUnready(nodes: readonly ChildNode[]): Promise<void> {
    for (const node of nodes) {
      const lines = await lastLogLines(node.plan.logFile, LAST_LINES);
      this.#world.complain(this.#prefixed(node, "runs; the last lines of its log:"));
      for (const line of lines) this.#world.complain(this.#prefixed(node, `  ${line}`));
    }
  }

  async #reportExit(node: ChildNode): Promise<void> {
    const { style } = this.#world;
    const complain = (line: string): void => this.#world.complain(line);
    const { logFile, configFile } = node.plan;
    const lines = await lastLogLines(logFile, LAST_LINES);
    complain(
      this.#prefixed(node, style.bad(`has ended with ${node.ending}; the last lines of its log:`)),
    );
    for (const line of lines) complain(this.#prefixed(node, `  ${line}`));
    if (this.stopping) return;
    const config = shortPath(this.#world.workingDirectory, configFile);
    complain(
      this.#prefixed(
        node,
        `start it again with: ${selfCommand(this.#world)} start --config ${config}`,
      ),
    );
  }

  #prefixed(node: ChildNode, text: string): string {
    return `${this.#world.style.dim(`${node.plan.name} |`)} ${text}`;
  }
}

/** How a person starts this program: by its name when it was found by that, else through Node. */
function selfCommand(world: World): string {
  const script = world.self.args.at(-1) ?? "ferrite";
  return basename(script) === "ferrite"
    ? "ferrite"
    : `node ${shortPath(world.workingDirectory, script)}`;
}
