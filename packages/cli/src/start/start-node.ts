/** Runs one node until it is asked to stop, ends by itself, or loses its parent. */
import type { NodeHandle } from "@ferrite/node";
import { changedSettings, type NodeConfig } from "@ferrite/node/config";
import type { Logger } from "pino";
import { CliError } from "../errors.ts";
import { SIGNAL_EXIT_CODES, type StopSignal, type World } from "../world.ts";
import { bannerLines } from "./banner.ts";
import { createNodeLogger } from "./node-logger.ts";
import { describeStartFailure } from "./start-failure.ts";
import { listenForStop } from "./stop-signals.ts";
import { superviseNode } from "./supervision.ts";

/** A stop that takes longer is given up; what was agreed is on disk all the same. */
export const STOP_TIMEOUT_MS = 25_000;

export interface RunOptions {
  readonly config: NodeConfig;
  readonly warnings: readonly string[];
  /** Started by `ferrite dev`, linked to it. */
  readonly supervised: boolean;
}

/** Resolves with the exit status. Throws CliError when the node can not be started. */
export async function runNode(options: RunOptions, world: World): Promise<number> {
  const { config, supervised } = options;
  const logger = createNodeLogger(config, {
    color: world.style.bold("x") !== "x",
    parent: supervised ? world.process : null,
  });
  logger.info({ version: world.version, settings: changedSettings(config) }, "starting");
  for (const warning of options.warnings) logger.warn(warning);

  // A node that is still starting is about to read its files.
  let readAgain = (): void => undefined;
  const signals = listenForStop(world.process, {
    ignoreInterrupt: supervised,
    onHangup() {
      if (world.terminalIsGone()) return false;
      readAgain();
      return true;
    },
  });
  const parentGone = supervised ? onceDisconnected(world) : new Promise<never>(() => undefined);
  try {
    const starting = start(config, logger, world);
    const early = await Promise.race([starting, signals.first, parentGone]);
    // Nothing is served yet, so there is nobody to wait for: the log on disk bears any end.
    if (typeof early === "string") return early === "parentGone" ? 1 : SIGNAL_EXIT_CODES[early];
    readAgain = () => void readCertificatesAgain(early, logger);
    if (world.isTerminal && !supervised) {
      for (const line of bannerLines(early, config, world)) world.print(line);
    }
    return await serve(early, { logger, supervised, world, ends: [signals.first, parentGone] });
  } finally {
    signals.release();
  }
}

async function start(config: NodeConfig, logger: Logger, world: World): Promise<NodeHandle> {
  try {
    return await world.startNode({ config, logger });
  } catch (error) {
    logger.debug({ error }, "could not start");
    throw new CliError("startFailed", describeStartFailure(error, config), { cause: error });
  }
}

/** SIGHUP. What the files are worth is told by the node itself. */
async function readCertificatesAgain(node: NodeHandle, logger: Logger): Promise<void> {
  logger.info("SIGHUP: the files of certificates are read again");
  try {
    await node.reloadCertificates();
  } catch (error) {
    logger.error({ err: error }, "the files of certificates could not be read again");
  }
}

interface Serving {
  readonly logger: Logger;
  readonly supervised: boolean;
  readonly world: World;
  readonly ends: readonly Promise<StopSignal | "parentGone">[];
}

async function serve(node: NodeHandle, serving: Serving): Promise<number> {
  const { logger, supervised, world } = serving;
  let release = (): void => undefined;
  const parentAsks = new Promise<"parentAsks">((resolve) => {
    if (supervised) release = superviseNode(node, world.process, () => resolve("parentAsks"));
  });
  try {
    const ended = node.stopped.then((error) => ({ error }));
    const reason = await Promise.race([ended, parentAsks, ...serving.ends]);
    if (typeof reason !== "string") return reportEnd(reason.error, logger);
    logger.info({ reason }, "stopping");
    const stopped = await within(node.stop(), STOP_TIMEOUT_MS);
    if (!stopped) logger.error({ timeoutMs: STOP_TIMEOUT_MS }, "the node did not stop in time");
    else logger.info("stopped");
    return stopped ? 0 : 1;
  } finally {
    release();
  }
}

function reportEnd(error: Error | null, logger: Logger): number {
  if (error === null) return 0;
  logger.fatal({ err: error }, "the node has ended because of an error");
  return 1;
}

function onceDisconnected(world: World): Promise<"parentGone"> {
  return new Promise((resolve) => world.process.on("disconnect", () => resolve("parentGone")));
}

/** True when the work is done in time. */
async function within(work: Promise<void>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
