/** Logins: how they end, what waits to be hashed, who is slowed down. No names, no addresses. */
import type { Registry } from "prom-client";
import type { AuthenticationCounters } from "../security/authenticator.ts";
import { followCounter, followGauge } from "./running-counter.ts";

/** What these metrics read of security/. */
export interface AuthMetricsSource {
  /** Authenticator.counters */
  readonly counters: Readonly<AuthenticationCounters>;
  /** AuthThrottle.delayedUsers: pairs of user and address. */
  delayedUsers(): number;
  /** AuthThrottle.delayedAddresses */
  delayedAddresses(): number;
  /** HashingService.waiting */
  hashingQueue(): number;
  /** HashingService.restarts */
  hashingRestarts(): number;
  /** PreAuthRegistry.count */
  unauthenticatedClients(): number;
}

const COUNTERS: readonly (readonly [keyof AuthenticationCounters, string, string])[] = [
  ["accepted", "auth_accepted", "Logins that were accepted."],
  ["refused", "auth_failures", "Logins that were refused: wrong name or password."],
  ["throttled", "auth_throttled", "Logins delayed or refused because of earlier failures."],
  ["busy", "auth_busy", "Logins turned away because too many passwords waited to be hashed."],
  ["failed", "auth_errors", "Logins whose password could not be checked."],
  ["fromCache", "auth_cached", "Logins accepted without hashing."],
  ["rehashed", "auth_rehashed", "Password hashes replaced by more expensive ones at login."],
];

export function registerAuthMetrics(registry: Registry, source: AuthMetricsSource): void {
  for (const [field, name, help] of COUNTERS) {
    followCounter(registry, { name: `ferrite_${name}_total`, help }, () => source.counters[field]);
  }
  followCounter(
    registry,
    {
      name: "ferrite_auth_hashing_restarts_total",
      help: "Times the hashing thread was lost and started anew.",
    },
    () => source.hashingRestarts(),
  );
  const gauges: readonly (readonly [string, string, () => number])[] = [
    ["auth_hashing_queue", "Passwords that wait to be hashed.", () => source.hashingQueue()],
    [
      "auth_delayed_users",
      "Pairs of user and address that are slowed down.",
      () => source.delayedUsers(),
    ],
    ["auth_delayed_addresses", "Addresses that are slowed down.", () => source.delayedAddresses()],
    [
      "auth_unauthenticated_clients",
      "Clients that have to log in and have not.",
      () => source.unauthenticatedClients(),
    ],
  ];
  for (const [name, help, read] of gauges) {
    followGauge(registry, { name: `ferrite_${name}`, help }, read);
  }
}
