/** Users and what they were denied. No names. */
import type { UserTable } from "@ferrite/acl";
import type { Registry } from "prom-client";
import type { DenialCounters } from "../access/access-control.ts";
import { followCounter, followGauge } from "./running-counter.ts";

export interface AccessMetricsSource {
  users(): Pick<UserTable, "revision" | "size">;
  readonly denials: Readonly<DenialCounters>;
}

const DENIALS: readonly (readonly [keyof DenialCounters, string, string])[] = [
  ["deniedCommands", "commands", "Requests denied because of their command."],
  ["deniedKeys", "keys", "Requests denied because of a key."],
  ["deniedChannels", "channels", "Requests denied because of a channel."],
  [
    "deniedCertificates",
    "certificates",
    "Clients whose certificate named no user that may be used.",
  ],
];

export function registerAccessMetrics(registry: Registry, source: AccessMetricsSource): void {
  for (const [field, what, help] of DENIALS) {
    const name = `ferrite_acl_denied_${what}_total`;
    followCounter(registry, { name, help }, () => source.denials[field]);
  }
  followGauge(
    registry,
    {
      name: "ferrite_acl_revision",
      help: "Changes of users applied by this node; differs between nodes only while one lags.",
    },
    () => source.users().revision,
  );
  followGauge(
    registry,
    { name: "ferrite_acl_users", help: "Users there are." },
    () => source.users().size,
  );
}
