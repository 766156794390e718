/**
 * What one request wants, for the check. The caller fills one object anew for every request, so that a check allocates
 * nothing. Bytes stay where they arrived.
 */

/** What a request does to a key, as Redis 7 tells it from the key specification: access reads, the rest writes. */
export const KeyAccess = {
  None: 0,
  Read: 1,
  Write: 2,
  ReadWrite: 3,
  /** Nobody can say which keys are meant (S07): no pattern is enough, only who may use all keys may do this. */
  Unknown: 4,
} as const;
export type KeyAccess = (typeof KeyAccess)[keyof typeof KeyAccess];

export interface AccessRequest {
  /** Of the command that runs: the sub-command's when there is one. */
  commandId: number;
  /** Holds the arguments. */
  buffer: Uint8Array;
  /** Of argument 1 (for rules like `+select|0`); both 0 when the request has no argument. */
  firstArgumentStart: number;
  firstArgumentEnd: number;
  keyCount: number;
  /** Range of each key in `buffer`, and what is done to it (KeyAccess). At least `keyCount` long. */
  keyStarts: Int32Array;
  keyEnds: Int32Array;
  keyAccess: Uint8Array;
  channelCount: number;
  channelStarts: Int32Array;
  channelEnds: Int32Array;
  /** PSUBSCRIBE: the channels are patterns, to be allowed only literally. */
  channelsArePatterns: boolean;
}

/** What a check says. Denials rank as in Redis: over several selectors the highest one is reported. */
export const Verdict = { Allowed: 0, Command: 1, Key: 2, Channel: 3 } as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];
