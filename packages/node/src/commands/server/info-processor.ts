/** INFO cpu */
import type { ServerView } from "../../server/edge-context.ts";
import type { InfoLine } from "./info-sections.ts";

export function processorLines({ process }: ServerView): readonly InfoLine[] {
  return [
    ["used_cpu_sys", process.cpuSystemSeconds().toFixed(6)],
    ["used_cpu_user", process.cpuUserSeconds().toFixed(6)],
    ["used_cpu_sys_children", "0.000000"],
    ["used_cpu_user_children", "0.000000"],
  ];
}
