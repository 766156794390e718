/** Redis tools want ids of 40 hex digits; ours are UUIDs. */

const DIGITS = 40;

/** A UUID without dashes, filled up with zeros; any other text by its bytes. Equal ids give equal answers on all nodes. */
export function toolNodeId(id: string): string {
  const plain = id.replaceAll("-", "").toLowerCase();
  const hex = /^[0-9a-f]{1,40}$/.test(plain) ? plain : Buffer.from(id, "utf8").toString("hex");
  return hex.slice(0, DIGITS).padEnd(DIGITS, "0");
}
