import type { Row } from "./row.ts";
import { writeSide } from "./write-rows.ts";

const LOAD = { kind: "set", connections: 50, port: 0 } as const;

function encryptedRow(id: string, pipeline: number, valueBytes?: number): Row {
  const load = { ...LOAD, pipeline, ...(valueBytes === undefined ? {} : { valueBytes }) };
  const pipelined = pipeline > 1 ? `, pipeline ${pipeline}` : "";
  const size = valueBytes === undefined ? "" : `, ${valueBytes / 1024} KiB`;
  return {
    id,
    title: `SET, 50 clients${pipelined}${size}, encrypted at rest`,
    unit: "op/s",
    ours: writeSide("encrypted", "encryptedFerrite", load),
    theirs: writeSide("plain", "ferrite", load),
    floor: 0.85,
    goal: 0.95,
    moreIsBetter: true,
    once: false,
  };
}

/** What encryption at rest costs: the same nodes with it and without, one after the other. */
export const atRestRows: readonly Row[] = [
  encryptedRow("at-rest-set", 1),
  encryptedRow("at-rest-set-p16", 16),
  encryptedRow("at-rest-set-4k", 1, 4096),
];
