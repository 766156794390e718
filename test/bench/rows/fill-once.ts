import { runLoad } from "../load/run-load.ts";
import type { Peer } from "../peers/peer.ts";
import type { BenchSettings } from "../settings.ts";

const FILL_BOUND_MS = 120_000;
const FILL_CONNECTIONS = 20;
const FILL_PIPELINE = 32;

/** Peers whose keys are there already. */
const filled = new WeakSet<Peer>();

/** Writes all keys, once per peer: every GET shall find its key. */
export async function fillOnce(peer: Peer, settings: BenchSettings): Promise<void> {
  if (filled.has(peer)) {
    return;
  }
  await runLoad({
    kind: "fill",
    ports: [peer.ports[0]],
    connections: FILL_CONNECTIONS,
    pipeline: FILL_PIPELINE,
    keyCount: settings.keyCount,
    valueBytes: settings.valueBytes,
    warmupMs: 0,
    durationMs: FILL_BOUND_MS,
    seed: 1,
  });
  filled.add(peer);
}
