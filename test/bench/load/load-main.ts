/**
 * The load generator as a program: takes a job as JSON in its only argument, prints its result as
 * JSON in one line.
 *
 *     node test/bench/load/load-main.ts '{"kind":"set","ports":[6379],"connections":50, ...}'
 */
import { runEtcdPuts } from "./etcd-generator.ts";
import { Generator } from "./generator.ts";
import type { LoadJob, SteadyJob } from "./job.ts";
import { SteadyGenerator } from "./steady-generator.ts";

const defaults: LoadJob = {
  kind: "set",
  ports: [6379],
  connections: 50,
  pipeline: 1,
  keyCount: 100_000,
  valueBytes: 64,
  warmupMs: 1000,
  durationMs: 4000,
  seed: 1,
};

const given: unknown = JSON.parse(process.argv[2] ?? "{}");
console.log(JSON.stringify(await run()));

async function run(): Promise<unknown> {
  const { kind } = given as { readonly kind?: LoadJob["kind"] | SteadyJob["kind"] };
  if (kind === "denied" || kind === "wrongAuth") {
    return await new SteadyGenerator(given as SteadyJob).run();
  }
  const job = { ...defaults, ...(given as Partial<LoadJob>) };
  return kind === "etcdPut" ? await runEtcdPuts(job) : await new Generator(job).run();
}
