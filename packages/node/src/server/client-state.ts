/** What a client has said about itself and how it is to be treated: the part of a connection that commands change. */
import type { ClientView, Consistency } from "./edge-context.ts";

export interface ClientIdentity {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly connectedAtMs: number;
}

export abstract class ClientState implements ClientView {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly connectedAtMs: number;
  readonly isUnixSocket = false;
  name = "";
  libraryName = "";
  libraryVersion = "";
  consistency: Consistency;
  noEvict = false;
  noTouch = false;
  lastInteractionAtMs: number;
  lastWriteIndex = 0;

  constructor(identity: ClientIdentity, consistency: Consistency) {
    this.id = identity.id;
    this.address = identity.address;
    this.localAddress = identity.localAddress;
    this.connectedAtMs = identity.connectedAtMs;
    this.lastInteractionAtMs = identity.connectedAtMs;
    this.consistency = consistency;
  }

  abstract user: string | null;
  abstract protocol: 2 | 3;
  abstract replyMode: "on" | "off" | "skipNext";
  abstract readonly lastCommandName: string;
  abstract readonly isBlocked: boolean;
  abstract queryBufferBytes(): number;
  abstract outputBufferBytes(): number;
  abstract close(afterReply: boolean): void;
}
