/** What a run of chaos can be asked for on the command line. */
import { parseArgs } from "node:util";
import { ChaosError } from "./errors.ts";
import { CANARIES, type Canary } from "./canary.ts";
import { ALL_FAULTS, faultsNamed } from "./faults/all-faults.ts";
import type { FaultKind } from "./faults/fault.ts";

export const USAGE = `usage: pnpm chaos [options]
  --minutes N       how long faults are made (default 1)
  --nodes 3|5       how many nodes (default 3)
  --seed S          of the schedule and of what clients ask for (default: drawn, and printed)
  --faults A,B      only these kinds, or only these families (partition, line, pause, kill, disk ...)
  --network KIND    proxy (default) or namespaces
  --clients N       clients per node (default 10)
  --think MS        middle of a client's pause between two requests (default 30)
  --canary NAME     break a promise on purpose, so that the run has to fail: ${Object.keys(CANARIES).join(", ")}
  --keep            keep logs and data of a run that found nothing as well
  --list            print the kinds of faults and end`;

export interface ChaosOptions {
  readonly minutes: number;
  readonly nodes: number;
  readonly seed: number;
  readonly kinds: readonly FaultKind[];
  readonly network: "proxy" | "namespaces";
  readonly clientsPerNode: number;
  readonly thinkMs: number;
  readonly canary: Canary | null;
  readonly keep: boolean;
}

/** Null when only help or the list was asked for, which then was printed. */
export function parseOptions(
  words: readonly string[],
  print: (line: string) => void,
): ChaosOptions | null {
  const { values } = parseArgs({
    args: [...words],
    options: {
      minutes: { type: "string", default: "1" },
      nodes: { type: "string", default: "3" },
      seed: { type: "string" },
      faults: { type: "string" },
      network: { type: "string", default: "proxy" },
      clients: { type: "string", default: "10" },
      think: { type: "string", default: "30" },
      canary: { type: "string" },
      keep: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) print(USAGE);
  if (values.list) for (const { name } of ALL_FAULTS) print(name);
  if (values.help || values.list) return null;
  return {
    minutes: number("minutes", values.minutes, { above: 0 }),
    nodes: oneOf("nodes", values.nodes, ["3", "5"]) === "3" ? 3 : 5,
    seed: values.seed === undefined ? drawSeed() : number("seed", values.seed, { above: -1 }),
    kinds: values.faults === undefined ? ALL_FAULTS : faultsNamed(values.faults.split(",")),
    network: oneOf("network", values.network, ["proxy", "namespaces"]),
    clientsPerNode: number("clients", values.clients, { above: 0 }),
    thinkMs: number("think", values.think, { above: -1 }),
    canary: canaryNamed(values.canary),
    keep: values.keep,
  };
}

function number(name: string, text: string, { above }: { readonly above: number }): number {
  const value = Number(text);
  if (text.trim() !== "" && value > above && Number.isFinite(value)) return value;
  throw new ChaosError("badArgument", `--${name} takes a number above ${above}, not "${text}"`);
}

function oneOf<Word extends string>(name: string, text: string, words: readonly Word[]): Word {
  const word = words.find((each) => each === text);
  if (word !== undefined) return word;
  throw new ChaosError("badArgument", `--${name} is one of ${words.join(", ")}, not "${text}"`);
}

function canaryNamed(name: string | undefined): Canary | null {
  if (name === undefined) return null;
  const canary = CANARIES[name];
  if (canary !== undefined) return canary;
  const known = Object.keys(CANARIES).join(", ");
  throw new ChaosError("badArgument", `no canary is called "${name}"; there are ${known}`);
}

/** Short enough to be typed. */
function drawSeed(): number {
  return Math.floor(Math.random() * 1_000_000);
}
