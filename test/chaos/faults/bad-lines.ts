/** Networks that deliver everything, but late, slowly, or over connections that break. */
import { pause } from "../../e2e/harness/cluster.ts";
import type { Machines } from "../machines.ts";
import type { LinkChange } from "../network/link-conditions.ts";
import { drawMs, type Aim, type AimedFault, type FaultKind } from "./fault.ts";
import { impairment, others } from "./partitions.ts";
import { Repetition } from "./repetition.ts";

const SHORT_MS = 2_000;
const LONG_MS = 8_000;
/** Below what calls an election, and about as much. */
const DELAY_MIN_MS = 10;
const DELAY_MAX_MS = 400;
const THIN_MIN_BYTES_PER_MS = 20;
const THIN_MAX_BYTES_PER_MS = 500;
const RESET_MIN_MS = 30;
const RESET_MAX_MS = 600;

export const badLines: readonly FaultKind[] = [
  {
    name: "line-delay",
    missing: ({ network }) => (network.can.has("delay") ? null : "this network can not delay"),
    aim: (aim) => {
      const delayMs = drawMs(aim.random, DELAY_MIN_MS, DELAY_MAX_MS);
      const jitterMs = drawMs(aim.random, 0, delayMs);
      return badLine(aim, `${delayMs} to ${delayMs + jitterMs} ms late`, { delayMs, jitterMs });
    },
  },
  {
    name: "line-thin",
    missing: ({ network }) => (network.can.has("rate") ? null : "this network can not be slow"),
    aim: (aim) => {
      const bytesPerMs = aim.random.between(THIN_MIN_BYTES_PER_MS, THIN_MAX_BYTES_PER_MS);
      return badLine(aim, `no faster than ${bytesPerMs} kB/s`, { bytesPerMs });
    },
  },
  {
    name: "line-resets",
    missing: ({ network }) => (network.can.has("reset") ? null : "this network breaks nothing"),
    aim: ({ machines, random }) => {
      const node = random.pick(machines.nodeIndexes);
      return {
        about: `connections of ${machines.name(node)} break again and again`,
        hit: [],
        keepsMajority: true,
        durationMs: drawMs(random, SHORT_MS, LONG_MS),
        ...Repetition.of(async () => {
          for (const other of others(machines, node)) machines.network.reset(node, other);
          await pause(drawMs(random, RESET_MIN_MS, RESET_MAX_MS));
        }),
      };
    },
  },
];

/** All lines, or those of one node. */
function badLine({ machines, random }: Aim, how: string, change: Partial<LinkChange>): AimedFault {
  const node = random.chance(0.5) ? null : random.pick(machines.nodeIndexes);
  const whose = node === null ? "everything" : `what ${machines.name(node)} sends and gets`;
  return {
    about: `${whose} is ${how}`,
    hit: [],
    keepsMajority: true,
    durationMs: drawMs(random, SHORT_MS, LONG_MS),
    ...impairment(machines, linesOf(machines, node, change)),
  };
}

function linesOf(
  machines: Machines,
  node: number | null,
  change: Partial<LinkChange>,
): LinkChange[] {
  return machines.nodeIndexes.flatMap((from) => {
    const there = others(machines, from).filter((to) => node === null || [from, to].includes(node));
    return there.map((to) => ({ ...change, from, to }));
  });
}
