/** The string family. */
import type { CommandSpec } from "../command.ts";
import { get } from "./get.ts";
import { incr } from "./incr.ts";
import { set } from "./set.ts";

export const stringCommands: readonly CommandSpec[] = [get, incr, set];
