import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { registerAuthMetrics } from "../../src/metrics/auth-metrics.ts";
import { LoginWorld, POLICY } from "./support/login-world.ts";
import { storedPassword } from "./support/stored-password.ts";

it("Logins are counted by how they end, and nothing names who tried (S26)", async () => {
  const world = new LoginWorld([{ name: "alice", passwords: [storedPassword("right", POLICY)] }]);
  const registry = new Registry();
  registerAuthMetrics(registry, {
    counters: world.authenticator.counters,
    delayedUsers: () => world.throttle.delayedUsers,
    delayedAddresses: () => world.throttle.delayedAddresses,
    hashingQueue: () => world.hashing.waitingCount,
    hashingRestarts: () => 3,
    unauthenticatedClients: () => 4,
  });
  await world.login("alice", "right");
  await world.login("alice", "right");
  for (let count = 0; count < 4; count++) await world.login("alice", `wrong ${count}`);
  world.hashing.isHeld = true;
  void world.login("bob", "wrong");
  void world.login("alice", "wrong 9");
  const text = await registry.metrics();
  for (const line of [
    "ferrite_auth_accepted_total 2",
    "ferrite_auth_cached_total 1",
    "ferrite_auth_failures_total 4",
    "ferrite_auth_throttled_total 1",
    "ferrite_auth_hashing_queue 1",
    "ferrite_auth_hashing_restarts_total 3",
    "ferrite_auth_delayed_users 1",
    "ferrite_auth_delayed_addresses 0",
    "ferrite_auth_unauthenticated_clients 4",
  ]) {
    expect(text.split("\n")).toContain(line);
  }
  expect(text).not.toMatch(/alice|bob|10\.0\.0\.9/);
});
