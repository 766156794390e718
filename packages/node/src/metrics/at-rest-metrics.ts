/** How much of what is on disk is encrypted, and how changes of keys go. */
import type { Registry } from "prom-client";
import type { AtRestStatus, AtRestView } from "../at-rest/at-rest-view.ts";
import { followCounter, followGauge, followLabelledGauge } from "./running-counter.ts";

/** What these metrics read. */
export type AtRestMetricsSource = Pick<AtRestView, "status">;

const STATES = ["encrypted", "outdated", "plain"] as const;

export function registerAtRestMetrics(registry: Registry, source: AtRestMetricsSource): void {
  const gauge = (name: string, help: string, read: (status: AtRestStatus) => number): void => {
    followGauge(registry, { name: `ferrite_at_rest_${name}`, help }, () => read(source.status()));
  };
  gauge("encryption", "1 when log, snapshots and the ACL file are encrypted.", (status) =>
    Number(status.enabled),
  );
  gauge("rewriting", "1 while files are brought under the newest node key.", (status) =>
    Number(status.isRewriting),
  );
  gauge("rewriting_failing", "1 while files can not be rewritten.", (status) =>
    Number(status.failure !== null),
  );
  gauge("key_usable", "1 when the key-encryption key could be used the last time.", (status) =>
    Number(status.enabled && status.keyFailure === null),
  );
  gauge("node_keys", "Node keys that files may still need.", (status) => status.nodeKeyIds.length);
  for (const [field, what] of [
    ["files", "Files"],
    ["bytes", "Bytes of files"],
  ] as const) {
    followLabelledGauge(registry, {
      name: `ferrite_at_rest_${field}`,
      help: `${what} with users' data: encrypted with the newest node key, with an outdated one, or plain. As last looked at.`,
      label: "state",
      read: () => STATES.map((state) => [state, source.status()[state][field]] as const),
    });
  }
  const counter = (name: string, help: string, read: (status: AtRestStatus) => number): void => {
    followCounter(registry, { name: `ferrite_at_rest_${name}_total`, help }, () =>
      read(source.status()),
    );
  };
  counter("rewraps", "Wraps of the keyring with a key-encryption key.", (status) => status.rewraps);
  counter(
    "rewrap_failures",
    "Wraps of the keyring that failed.",
    (status) => status.rewrapFailures,
  );
}
