/** Redis Cluster's key slots. One group owns them all. */
export const SLOT_COUNT = 16_384;
export const SLOT_LAST = 16_383;
/** What tools dial between nodes is the client port and this much. */
export const TOOL_BUS_PORT_OFFSET = 10_000;
