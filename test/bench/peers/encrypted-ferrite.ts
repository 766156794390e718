import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startFerrite } from "./ferrite.ts";
import type { Peer } from "./peer.ts";

/** The same three nodes, with log and snapshots encrypted at rest. */
export async function startEncryptedFerrite(folder: string): Promise<Peer> {
  const keyFile = join(folder, "kek");
  writeFileSync(keyFile, randomBytes(32).toString("base64"), { mode: 0o600 });
  const peer = await startFerrite(folder, [
    "at-rest-encryption=yes",
    `at-rest-key-file=${keyFile}`,
  ]);
  return { ...peer, name: `${peer.name}, encrypted at rest` };
}
