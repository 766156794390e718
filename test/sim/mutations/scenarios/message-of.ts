/** What of Raft is in a payload. */
import type { PeerPayload } from "@ferrite/node/simulation";
import type { Message } from "@ferrite/raft";

/** Null when it is something else. */
export function messageOf(payload: PeerPayload): Message | null {
  return payload.kind === "raft" ? payload.message : null;
}

/** Does it bring entries, as opposed to news of a commit index? */
export function bringsEntries(payload: PeerPayload): boolean {
  const message = messageOf(payload);
  return message?.kind === "append" && message.entries.length > 0;
}
