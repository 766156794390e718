/**
 * Every limit of the trail that is no setting. Lengths of texts are in UTF-16 units, which is what a string counts; each
 * takes at most six bytes in a line.
 */
export const TEXT_LIMITS = {
  action: 128,
  user: 256,
  method: 64,
  address: 128,
  clientName: 256,
  fingerprint: 128,
  serial: 64,
  subject: 256,
  command: 128,
  key: 256,
  reason: 1024,
  /** `before` and `after`, each. */
  change: 4096,
} as const;

/** Keys of one command that are written down; the number of the others is. */
export const KEYS_PER_RECORD_MAX = 32;

/** No line is longer: the sum of all texts at six bytes a unit, and the frame around them. */
export const LINE_BYTES_MAX: number = 128 * 1024;

/** Records that come before the trail is open. */
export const EARLY_EVENTS_MAX = 1024;

/** Bytes and records that one write to a file or one delivery to a sink takes at most. */
export const BATCH_BYTES_MAX: number = 256 * 1024;
export const BATCH_RECORDS_MAX = 512;

/** A failed write or delivery is tried again after this long, then twice as long, up to the maximum. */
export const RETRY_DELAY_MS_MIN = 100;
export const RETRY_DELAY_MS_MAX = 10_000;

/** How often the trail looks after itself: repeated failures, drops, syncs, anchors. */
export const HOUSEKEEPING_INTERVAL_MS = 250;

/** audit-fsync interval: how long a record may wait for the disk. */
export const SYNC_INTERVAL_MS = 1000;

/** S52: equal failures are counted within a window of this length. */
export const REPEAT_WINDOW_MS = 10_000;
/** Pairs of address and action that are watched at the same time; the longest watched one makes room. */
export const REPEAT_KEYS_MAX = 4096;

/** How long a connection to a sink may take to be made, and a delivery to be taken. */
export const SINK_TIMEOUT_MS = 10_000;
/** How long `close` waits for files and sinks to take what is queued. */
export const CLOSE_TIMEOUT_MS = 3000;

/** What one answer of FERRITE.AUDIT holds at most. */
export const PAGE_RECORDS_MAX = 1000;
export const PAGE_BYTES_MAX: number = 512 * 1024;
/** Connections that are known to have read the trail. */
export const READERS_MAX = 1024;
/** Connections that wait in FERRITE.AUDIT FOLLOW at the same time. */
export const FOLLOWERS_MAX = 64;
