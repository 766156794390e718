/**
 * The link between `ferrite dev` and its nodes: messages over Node's IPC channel. When the channel breaks the parent is
 * gone, however it ended, and the node stops by itself: no orphans.
 */
import type { NodeHandle } from "@ferrite/node";
import type { ProcessPort } from "../world.ts";

export interface NodeStatus {
  readonly nodeId: string;
  readonly role: string;
  readonly term: number;
  readonly leaderId: string | null;
  /** Null when writes are taken. */
  readonly writeRefusal: string | null;
}

export type FromNode =
  | { readonly kind: "started" }
  | { readonly kind: "status"; readonly status: NodeStatus }
  /** A log line of level warn or above, as JSON. */
  | { readonly kind: "warning"; readonly line: string };

export type ToNode = { readonly kind: "askStatus" } | { readonly kind: "stop" };

/** Answers the parent until the returned function is called. `onStop` runs when it asks for a stop or is gone. */
export function superviseNode(node: NodeHandle, port: ProcessPort, onStop: () => void): () => void {
  const onMessage = (message: unknown): void => {
    const { kind } = (message ?? {}) as { readonly kind?: unknown };
    if (kind === "stop") onStop();
    else if (kind === "askStatus") tellParent(port, { kind: "status", status: statusOf(node) });
  };
  port.on("message", onMessage);
  tellParent(port, { kind: "started" });
  return () => {
    port.off("message", onMessage);
    port.disconnect?.();
  };
}

/** Sends to the parent. A parent that is gone can not be told; that it is gone is what `disconnect` reports. */
export function tellParent(port: ProcessPort, message: FromNode): void {
  port.send?.(message, undefined, undefined, () => undefined);
}

function statusOf(node: NodeHandle): NodeStatus {
  const { replica } = node;
  return {
    nodeId: node.nodeId,
    role: replica.role(),
    term: replica.term(),
    leaderId: replica.leaderId(),
    writeRefusal: replica.writeRefusal(),
  };
}
