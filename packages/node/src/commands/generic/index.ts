/** The generic family: what works on keys of any type. */
import type { CommandSpec } from "../command.ts";
import { del } from "./del.ts";
import { exists } from "./exists.ts";

export const genericCommands: readonly CommandSpec[] = [del, exists];
