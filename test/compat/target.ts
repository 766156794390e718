/** Something that answers Redis requests: a real redis-server, a Ferrite node, a command table in this process. */

export interface Session {
  /** Sends requests (each one whole, encoded) in one go and resolves to their raw replies in order. */
  exchange(requests: readonly Buffer[]): Promise<readonly Buffer[]>;
  /** Removes all keys. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

export interface Target {
  readonly name: string;
  /** A new connection that speaks this protocol. */
  open(protocol: 2 | 3): Promise<Session>;
}
