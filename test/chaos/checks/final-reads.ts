/** Reads everything that was written, through every node, when nobody writes any more; into the history, as its last reads. */
import { RespError } from "../../e2e/harness/resp-client.ts";
import type { History } from "../clients/history.ts";
import type { Model } from "../clients/operation.ts";
import { ChaosError } from "../errors.ts";
import type { Machines } from "../machines.ts";

const KEYS_PER_READ = 500;

export async function readEverything(machines: Machines, history: History): Promise<void> {
  const models = new Map<string, Model>(history.operations.map(({ key, model }) => [key, model]));
  let clients = 0;
  let connections = 0;
  // One by one: a long run has more operations than a call can have arguments.
  for (const { client, connection } of history.operations) {
    clients = Math.max(clients, client + 1);
    connections = Math.max(connections, connection + 1);
  }
  for (const node of machines.nodeIndexes) {
    const reader = { node, client: clients + node, connection: connections + node };
    await readThrough(reader, machines, history, [...models]);
  }
}

async function readThrough(
  reader: { readonly node: number; readonly client: number; readonly connection: number },
  machines: Machines,
  history: History,
  keys: readonly (readonly [string, Model])[],
): Promise<void> {
  const client = await machines.cluster.client(reader.node);
  try {
    await client.call("FERRITE.CONSISTENCY", "linearizable");
    for (let at = 0; at < keys.length; at += KEYS_PER_READ) {
      const some = keys.slice(at, at + KEYS_PER_READ);
      const call = { kind: "read" } as const;
      const operations = some.map(([key, model]) =>
        history.called({ ...reader, consistency: "linearizable", model, key, call }),
      );
      const values = await client.call("MGET", ...some.map(([key]) => key));
      if (values instanceof RespError || !Array.isArray(values))
        throw new ChaosError("notPossible", `final reads: ${JSON.stringify(values)}`);
      for (const [position, operation] of operations.entries())
        history.returned(operation, "ok", values[position] as string | null);
    }
  } finally {
    client.close();
  }
}
