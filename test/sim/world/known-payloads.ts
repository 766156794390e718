/** What an older version knows of what nodes say to each other: it ends a link that brings it anything else. */
import { FEATURE_LEVEL_MAX, type PeerPayload } from "@ferrite/node/simulation";

/** The version that supports this level was the first to lend snapshots. */
const LENDS_SINCE_LEVEL: number = FEATURE_LEVEL_MAX;

export function lendsSnapshotsAt(level: number | null): boolean {
  return level !== null && level >= LENDS_SINCE_LEVEL;
}

export function isKnownAt(level: number, { kind }: PeerPayload): boolean {
  switch (kind) {
    case "snapshotAsk":
    case "snapshotOffer":
    case "chunkNotice":
    case "chunkRead":
    case "chunkBytes":
      return lendsSnapshotsAt(level);
    default:
      return true;
  }
}
