/** What a replica sends: payloads over the transport, snapshots chunk by chunk, and what must wait for the disk. */
import type { Message, NodeId, RaftCoreApi } from "@ferrite/raft";
import type { SnapshotKeeper } from "./snapshot-keeper.ts";
import type { PeerPayload, Transport } from "./transport.ts";

export interface OutgoingPorts {
  readonly nodeId: NodeId;
  readonly core: RaftCoreApi;
  readonly transport: Transport;
  snapshots(): SnapshotKeeper;
  /** A round is to follow: something has come up. */
  plan(): void;
}

export class Outgoing {
  readonly #ports: OutgoingPorts;

  constructor(ports: OutgoingPorts) {
    this.#ports = ports;
  }

  /** False when it can not go now: it is dropped. */
  send(to: NodeId, payload: PeerPayload): boolean {
    return this.#ports.transport.send(to, payload);
  }

  /** One of Raft's messages. A part of a snapshot is read from the disk first. */
  message(message: Message): void {
    if (message.kind !== "snapshotChunk") {
      this.send(message.to, { kind: "raft", message });
      return;
    }
    this.#ports.snapshots().sendChunk(message, (filled) => {
      this.send(filled.to, { kind: "raft", message: filled });
      this.#ports.plan();
    });
  }

  /** Messages that promise something may go now; those to this node itself are taken in. */
  release(messages: readonly Message[]): void {
    const { core, nodeId } = this.#ports;
    for (const message of messages) {
      if (message.to === nodeId) core.step(message);
      else this.message(message);
    }
    if (messages.length > 0) this.#ports.plan();
  }
}
