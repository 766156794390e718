/** A place in a chain: a record's sequence and its hash (64 hex digits). */
export interface ChainHead {
  readonly sequence: number;
  readonly hash: string;
}
