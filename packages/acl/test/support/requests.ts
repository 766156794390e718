/** Requests for the check, written shortly. */
import { KeyAccess } from "../../src/access-request.ts";
import type { AccessRequest } from "../../src/access-request.ts";
import type { CommandCatalogue } from "../../src/catalogue.ts";

export interface RequestWords {
  readonly command: string;
  readonly firstArgument?: string;
  /** Byte strings; what is done to each is in `access`, Read where it says nothing. */
  readonly keys?: readonly string[];
  readonly access?: readonly KeyAccess[];
  readonly channels?: readonly string[];
  readonly channelsArePatterns?: boolean;
}

export function request(catalogue: CommandCatalogue, words: RequestWords): AccessRequest {
  const entry = catalogue.find(words.command);
  if (entry === undefined) throw new Error(`the test's catalogue has no ${words.command}`);
  const { keys = [], access = [], channels = [], firstArgument } = words;
  const parts = [words.command, firstArgument ?? "", ...keys, ...channels];
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const part of parts) {
    starts.push(at);
    at += part.length;
    ends.push(at);
  }
  const firstChannel = 2 + keys.length;
  return {
    commandId: entry.id,
    buffer: Buffer.from(parts.join(""), "latin1"),
    firstArgumentStart: firstArgument === undefined ? 0 : starts[1],
    firstArgumentEnd: firstArgument === undefined ? 0 : ends[1],
    keyCount: keys.length,
    keyStarts: Int32Array.from(starts.slice(2, firstChannel)),
    keyEnds: Int32Array.from(ends.slice(2, firstChannel)),
    keyAccess: Uint8Array.from(keys, (_, index) => access[index] ?? KeyAccess.Read),
    channelCount: channels.length,
    channelStarts: Int32Array.from(starts.slice(firstChannel)),
    channelEnds: Int32Array.from(ends.slice(firstChannel)),
    channelsArePatterns: words.channelsArePatterns ?? false,
  };
}
