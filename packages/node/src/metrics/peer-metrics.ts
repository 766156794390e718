/** The links to other nodes: what travels, who was refused, and how long the certificates of the others last. */
import type { Registry } from "prom-client";
import type { PeerCounters } from "../peers/counters.ts";
import type { PeerNetwork } from "../peers/network.ts";
import { followCounter, followLabelledCounter, followLabelledGauge } from "./running-counter.ts";

/** What these metrics read of the links. */
export type PeerMetricsSource = Pick<PeerNetwork, "counters" | "refusals" | "certificateExpiries">;

type PlainCounter = Exclude<keyof PeerCounters, "refusalsSent" | "refusalsReceived">;

const COUNTERS: readonly (readonly [PlainCounter, string, string])[] = [
  ["bytesSent", "sent_bytes", "Bytes of frames sent to other nodes."],
  ["bytesReceived", "received_bytes", "Bytes of frames received from other nodes."],
  ["framesSent", "sent_frames", "Frames sent to other nodes."],
  ["framesReceived", "received_frames", "Frames received from other nodes."],
  ["fragmentsSent", "sent_fragments", "Pieces of large frames sent to other nodes."],
  ["fragmentsReceived", "received_fragments", "Pieces of large frames received from other nodes."],
  ["dials", "dials", "Attempts to reach another node."],
  ["linksOpened", "links_opened", "Links that this node dialed and that opened."],
  ["linksRenewed", "links_renewed", "Links that were replaced as a certificate was renewed."],
  ["linksLost", "links_lost", "Links that this node dialed and that broke."],
  ["linksAccepted", "links_accepted", "Links that other nodes dialed and that opened."],
  ["linksStalled", "links_stalled", "Links ended as the other node took nothing."],
  ["handshakesFailed", "failed_handshakes", "Connections that did not become a link."],
  ["handshakesRefused", "rejected_connections", "Connections closed unread: too many at once."],
  ["protocolErrors", "protocol_errors", "Links that broke the rules of the frames."],
  ["droppedNoLink", "unlinked_messages", "Messages not sent as there was no link."],
  ["droppedQueueFull", "overflowed_messages", "Messages not sent as the link's queue was full."],
  ["droppedRepeated", "repeated_messages", "Messages not sent as the same one still waited."],
  ["droppedTooLarge", "oversized_messages", "Messages not sent as no frame may be that large."],
];

export function registerPeerMetrics(registry: Registry, source: PeerMetricsSource): void {
  for (const [field, name, help] of COUNTERS) {
    followCounter(registry, { name: `ferrite_peer_${name}_total`, help }, () => {
      return source.counters[field];
    });
  }
  followLabelledCounter(registry, {
    name: "ferrite_peer_refusals_total",
    help: "Connections between nodes that this node refused or ended, by reason.",
    label: "reason",
    read: () => Object.entries(source.refusals),
  });
  followLabelledCounter(registry, {
    name: "ferrite_peer_refusals_received_total",
    help: "Links that another node refused to this one, by reason.",
    label: "reason",
    read: () => Object.entries(source.counters.refusalsReceived),
  });
  followLabelledGauge(registry, {
    name: "ferrite_peer_certificate_expiry_timestamp_seconds",
    help: "When the certificate ends that another node showed last, by its name.",
    label: "peer",
    read: () =>
      source
        .certificateExpiries()
        .map(({ peer, validUntilMs }) => [peer, validUntilMs / 1000] as const),
  });
}
