/** A node id is a UUID in text; on the wire it is its 16 bytes. */
import type { NodeId } from "@ferrite/raft";
import { PeerError } from "./errors.ts";

export const NODE_ID_BYTES = 16;

const NODE_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Lower case only: two spellings of one id would be two ids to everything that compares text. */
export function isNodeId(text: string): boolean {
  return NODE_ID.test(text);
}

/** @throws PeerError notEncodable */
export function checkNodeId(id: NodeId): void {
  if (!isNodeId(id)) {
    throw new PeerError("notEncodable", `"${id}" is not a node id (a UUID in lower case).`);
  }
}

/** Writes the 16 bytes of a checked id. */
export function writeNodeId(target: Buffer, id: NodeId, offset: number): void {
  // The dashes stand at fixed places, so five pieces of hex can be written without making a new string of all.
  target.write(id.slice(0, 8), offset, 4, "hex");
  target.write(id.slice(9, 13), offset + 4, 2, "hex");
  target.write(id.slice(14, 18), offset + 6, 2, "hex");
  target.write(id.slice(19, 23), offset + 8, 2, "hex");
  target.write(id.slice(24, 36), offset + 10, 6, "hex");
}

export function readNodeId(source: Buffer, offset: number): NodeId {
  return uuidText(source.toString("hex", offset, offset + NODE_ID_BYTES));
}

/** Puts the dashes into 32 hex digits. */
export function uuidText(hex: string): string {
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join("-");
}
