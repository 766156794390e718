/** The view of a node that encrypts nothing. */
import type { AtRestStatus, AtRestView, FileCount } from "./at-rest-view.ts";

const NONE: FileCount = { files: 0, bytes: 0 };
const STATUS: AtRestStatus = {
  enabled: false,
  source: null,
  keyEncryptionKeyId: null,
  nodeKeyIds: [],
  isRewriting: false,
  encrypted: NONE,
  outdated: NONE,
  plain: NONE,
  failure: null,
  keyFailure: null,
  rewraps: 0,
  rewrapFailures: 0,
};
const REFUSAL = "nothing is encrypted on this node (at-rest-encryption)";

export const AT_REST_OFF: AtRestView = {
  status: () => STATUS,
  look: () => Promise.resolve(STATUS),
  rewrap: () => Promise.resolve(REFUSAL),
  rotate: () => Promise.resolve(REFUSAL),
};
