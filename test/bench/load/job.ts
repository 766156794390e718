/**
 * What the load generator is asked to do and what it answers. It runs in a process of its own, so
 * that its event loop is neither slowed by nor slows the program that starts the servers.
 */

/**
 * - `set`: SET, answered when the server says so.
 * - `setWait`: SETs followed by one `WAIT 1`, which gives the promise of a Raft write: on a second
 *   machine before the client goes on.
 * - `get`: GET of keys that are there.
 * - `fill`: SET of every key once, in order.
 * - `etcdPut`: put to etcd.
 */
export type LoadKind = "set" | "setWait" | "get" | "fill" | "etcdPut";

export interface LoadJob {
  readonly kind: LoadKind;
  /** Ports on 127.0.0.1; the connections are spread over them evenly. */
  readonly ports: readonly number[];
  readonly connections: number;
  /** Commands sent at once on a connection before it waits for all their replies. */
  readonly pipeline: number;
  /** Keys are drawn evenly from this many. */
  readonly keyCount: number;
  readonly valueBytes: number;
  /** Not measured. */
  readonly warmupMs: number;
  /** Measured; `fill` ends by itself and takes this as its bound. */
  readonly durationMs: number;
  /** First state of the generator of keys: the same seed asks for the same keys. */
  readonly seed: number;
  /** As whom every connection logs in; without it, as whoever it is. */
  readonly login?: Login;
  /** Over TLS. Whose certificate it is is not looked at: what is measured comes behind the handshakes. */
  readonly tls?: boolean;
}

export interface Login {
  readonly user: string;
  readonly password: string;
}

/**
 * - `denied`: GET of keys that the user may not read.
 * - `wrongAuth`: AUTH as the user "guessed" with a wrong password, another one each time.
 */
export interface SteadyJob {
  readonly kind: "denied" | "wrongAuth";
  readonly port: number;
  readonly connections: number;
  readonly perSecond: number;
  readonly durationMs: number;
  readonly login?: Login;
}

export interface SteadyResult {
  readonly sentPerSecond: number;
  readonly answeredPerSecond: number;
  readonly errorReplies: number;
  readonly firstError: string;
}

export interface LoadResult {
  /** SETs or GETs answered within the measured time; a WAIT is part of its SET. */
  readonly operations: number;
  readonly measuredMs: number;
  readonly operationsPerSecond: number;
  /** From sending a unit (a command, or a pipeline of them) to its last reply. */
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  readonly latencyMaxMs: number;
  readonly errorReplies: number;
  /** Text of the first error, or empty. */
  readonly firstError: string;
  /** Share of the measured time in which the generator used its core: near 1 it is the limit. */
  readonly generatorLoad: number;
}
