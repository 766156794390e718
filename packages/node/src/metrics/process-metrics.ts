/** What the process takes of the machine, and which build it is. */
import { collectDefaultMetrics, Gauge, type Registry } from "prom-client";

export function registerProcessMetrics(
  registry: Registry,
  build: { readonly version: string },
): void {
  collectDefaultMetrics({ register: registry, prefix: "ferrite_" });
  new Gauge({
    name: "ferrite_build_info",
    help: "Always 1; the label says which version runs.",
    labelNames: ["version"],
    registers: [registry],
  }).set({ version: build.version }, 1);
}
