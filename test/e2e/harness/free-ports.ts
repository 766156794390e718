/**
 * Ports for servers that have to know each other's before they start, and that come back to them when they are started
 * again. The system must not give them to somebody else meanwhile: so they lie below the range from which it takes
 * ports for outgoing connections and for "any free port".
 */
import { createServer } from "node:net";

/** Linux takes 32,768 and above by default; what is below 20,000 is left to people and to the benchmark. */
const FIRST = 20_000;
const LAST = 32_000;
const ATTEMPTS_MAX = 1_000;

/** Never handed out twice by one process: a server that is down for a while keeps its port. */
const handedOut = new Set<number>();

/** Ports on 127.0.0.1 that nobody listens on. Throws when there are none. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let attempt = 0; ports.length < count; attempt++) {
    if (attempt === ATTEMPTS_MAX) throw new Error(`no ${count} free ports in ${FIRST} to ${LAST}`);
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (handedOut.has(port) || !(await isFreePort(port))) continue;
    handedOut.add(port);
    ports.push(port);
  }
  return ports;
}

/** Nobody listens on this port of 127.0.0.1 now. */
export function isFreePort(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
