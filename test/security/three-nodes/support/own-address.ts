/** An address of this machine that is not loopback: a client that uses it is, for a node, one from the network. */
import { networkInterfaces } from "node:os";
import { report } from "../../../e2e/harness/cluster.ts";
import { findProgram } from "../../../e2e/harness/program.ts";

/**
 * Null where there is none; then one line says so.
 * @throws Error under CI where one could have been made, so that no run passes without these tests unnoticed
 */
export function ownAddress(): string | null {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, internal, address } of addresses ?? []) {
      if (!internal && family === "IPv4") return address;
    }
  }
  if (process.env["CI"] !== undefined && findProgram("ip") !== null) {
    throw new Error(
      "this machine has only loopback addresses; add one: ip address add 10.99.0.1/32 dev lo",
    );
  }
  report("this machine has only loopback addresses: tests of clients from the network are skipped");
  return null;
}
