/** The server family, COMMAND excepted (introspection/). */
import type { CommandSpec } from "../command.ts";
import { config } from "./config.ts";
import { dbsize } from "./dbsize.ts";
import { failover } from "./failover.ts";
import { flushall } from "./flushall.ts";
import { flushdb } from "./flushdb.ts";
import { info } from "./info.ts";
import { memory } from "./memory.ts";
import { time } from "./time.ts";
import { wait } from "./wait.ts";

export const serverCommands: readonly CommandSpec[] = [
  config,
  dbsize,
  failover,
  flushall,
  flushdb,
  info,
  memory,
  time,
  wait,
];
