/** An answer nobody hears: what a write says on the nodes that do not hold its client. */
import type { Reply } from "./reply.ts";

export class SilentReply implements Reply {
  readonly protocol = 2;
  ok(): void {}
  simple(_text: string): void {}
  error(_text: string): void {}
  integer(_value: number | bigint): void {}
  bulk(_bytes: Uint8Array): void {}
  bulkRange(_buffer: Uint8Array, _start: number, _end: number): void {}
  bulkText(_text: string): void {}
  nullBulk(): void {}
  nullArray(): void {}
  array(_length: number): void {}
  map(_pairs: number): void {}
  set(_length: number): void {}
  push(_length: number): void {}
  double(_value: number): void {}
  boolean(_value: boolean): void {}
  verbatim(_format: "txt" | "mkd", _text: string | Uint8Array): void {}
}
