/**
 * Where a command's answer goes. Two kinds: `RespReply` (encoder.ts) writes to a client in its protocol version,
 * `SilentReply` drops everything (apply on a node that does not hold the client). A command makes the same calls
 * on both and never asks which one it has.
 *
 * Aggregates announce their length first; the elements follow as further calls.
 *
 * Texts of `simple` and `error` that quote what a client sent take it from `Argv.latin1`: every character up to
 * U+00FF is sent as that byte, so the client sees its own bytes again. Other texts are ASCII.
 */
export interface Reply {
  /** 2 or 3; a silent reply says 2. */
  readonly protocol: 2 | 3;
  /** `+OK` */
  ok(): void;
  /** `+text`; CR and LF in it become spaces (a reply must not be able to forge another). */
  simple(text: string): void;
  /** `-text`, with its code word: `error("ERR syntax error")`. CR and LF become spaces, at the end nothing. */
  error(text: string): void;
  integer(value: number | bigint): void;
  bulk(bytes: Uint8Array): void;
  /** A range of a buffer as bulk string, copied at once. */
  bulkRange(buffer: Uint8Array, start: number, end: number): void;
  /** UTF-8. */
  bulkText(text: string): void;
  /** `$-1` in RESP2, `_` in RESP3. */
  nullBulk(): void;
  /** `*-1` in RESP2, `_` in RESP3. */
  nullArray(): void;
  array(length: number): void;
  /** `%n` in RESP3, `*2n` in RESP2; keys and values follow alternately. */
  map(pairs: number): void;
  /** `~n` in RESP3, `*n` in RESP2. */
  set(length: number): void;
  /** `>n` in RESP3, `*n` in RESP2. */
  push(length: number): void;
  /** `,d` in RESP3, bulk string in RESP2; printed as Redis 7.0 does (%.17g). */
  double(value: number): void;
  /** `#t` in RESP3, 1 or 0 in RESP2. */
  boolean(value: boolean): void;
  /** `=n` with a three-letter format in RESP3, bulk string in RESP2. Text is sent as UTF-8, bytes as they are. */
  verbatim(format: "txt" | "mkd", text: string | Uint8Array): void;
}
