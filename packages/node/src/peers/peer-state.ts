/** What the network knows of one peer, by its name. */
import type { NodeId } from "@ferrite/raft";
import type { PeerDialer } from "./dialer.ts";
import type { PeerLink } from "./link.ts";

export interface PeerState {
  readonly name: string;
  /** Its registered id; null until the cluster is formed. */
  id: NodeId | null;
  readonly dialer: PeerDialer;
  /** The link it dialed to us, on which it sends; null when there is none. */
  accepted: PeerLink | null;
  /** What the replica was told last. */
  toldConnected: boolean;
  /** Whether the replica was told, since the last open link, that nobody listens there. */
  toldRefused: boolean;
}
