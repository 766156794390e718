/** What a node holds, as one number: equal on two nodes that hold the same keys with the same values. */
import { createHash } from "node:crypto";
import type { TestCluster } from "./cluster.ts";

const KEYS_PER_SCAN = "5000";

export interface Digest {
  readonly keys: number;
  /** Exclusive or of a hash of each key with its value: does not depend on the order of SCAN. */
  readonly hash: string;
}

/** Reads every key of a node as it is there now. Nothing may be written meanwhile. */
export async function digest(cluster: TestCluster, node: number): Promise<Digest> {
  const client = await cluster.client(node);
  try {
    await client.call("FERRITE.CONSISTENCY", "local");
    const sum = Buffer.alloc(32);
    const seen = new Set<string>();
    let cursor = "0";
    do {
      const reply = (await client.call("SCAN", cursor, "COUNT", KEYS_PER_SCAN)) as [
        string,
        string[],
      ];
      cursor = reply[0];
      const keys = reply[1].filter((key) => !seen.has(key));
      if (keys.length === 0) continue;
      const values = (await client.call("MGET", ...keys)) as readonly (string | null)[];
      for (const [position, key] of keys.entries()) {
        seen.add(key);
        addHash(sum, key, values[position] ?? "");
      }
    } while (cursor !== "0");
    return { keys: seen.size, hash: sum.toString("hex") };
  } finally {
    client.close();
  }
}

function addHash(sum: Buffer, key: string, value: string): void {
  const hash = createHash("sha256").update(`${key.length} ${key} ${value}`).digest();
  for (let at = 0; at < sum.length; at++) sum[at] = sum[at] ^ hash[at];
}
