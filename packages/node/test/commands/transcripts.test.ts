import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Evaluator } from "./evaluator.ts";
import { sortReply } from "./reply-tree.ts";
import { escapeBytes, parseTranscript } from "./transcript.ts";

const folder = fileURLToPath(new URL("transcripts/", import.meta.url));
/** Any moment after the past times and before the future ones that the transcripts name. */
const NOW_MS = 1_800_000_000_000;

const files = readdirSync(folder).filter((name) => name.endsWith(".txt"));

test("There are transcripts", () => {
  expect(files.length).toBeGreaterThan(3);
});

describe.each(files)("Replies are those of Redis 7.0.15 in %s", (file) => {
  const { cases } = parseTranscript(readFileSync(`${folder}${file}`, "latin1"));

  test.each(cases)("$name", ({ exchanges }) => {
    for (const protocol of [2, 3] as const) {
      const evaluator = new Evaluator({ nowMs: () => NOW_MS });
      const expected: string[] = [];
      const actual: string[] = [];
      for (const { command, request, isSorted, resp2, resp3 } of exchanges) {
        const recorded = protocol === 2 ? resp2 : resp3;
        const reply = evaluator.run(request, protocol);
        const comparable = isSorted && reply[0] !== 0x2d ? sortReply(reply) : reply;
        expected.push(
          `${command} => ${recorded === null ? "not recorded" : escapeBytes(recorded)}`,
        );
        actual.push(`${command} => ${escapeBytes(comparable)}`);
      }
      expect(actual).toEqual(expected);
    }
  });
});
