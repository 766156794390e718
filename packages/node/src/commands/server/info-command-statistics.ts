/** INFO commandstats and errorstats */
import type { ServerView } from "../../server/edge-context.ts";
import type { InfoLine } from "./info-sections.ts";

export function commandLines({ statistics }: ServerView): readonly InfoLine[] {
  return statistics.commands().map((one) => {
    const microseconds = Math.round(one.microseconds);
    const perCall = (one.calls === 0 ? 0 : one.microseconds / one.calls).toFixed(2);
    const calls = `calls=${one.calls},usec=${microseconds},usec_per_call=${perCall}`;
    const refused = `rejected_calls=${one.rejectedCalls},failed_calls=${one.failedCalls}`;
    return [`cmdstat_${one.name}`, `${calls},${refused}`];
  });
}

export function errorLines({ statistics }: ServerView): readonly InfoLine[] {
  return statistics.errors().map(([code, count]) => [`errorstat_${code}`, `count=${count}`]);
}
