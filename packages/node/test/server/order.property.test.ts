import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { request } from "./support/raw-client.ts";
import { startTestServer } from "./support/test-server.ts";

const key = fc.constantFrom("a", "b");
/** A command, and whether it is sent as a line. Whatever takes part in keeping order is among them. */
const command: fc.Arbitrary<{ words: string[]; inline: boolean }> = fc.record({
  words: fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constant("SET"), key, fc.constantFrom("1", "22", "x")) },
    { weight: 6, arbitrary: fc.tuple(fc.constantFrom("GET", "STRLEN", "EXISTS"), key) },
    { weight: 3, arbitrary: fc.tuple(fc.constantFrom("INCR", "GETDEL", "DEL"), key) },
    fc.tuple(fc.constantFrom("PING", "DBSIZE", "NOPE", "GET", "FLUSHALL", "RESET")),
    fc.tuple(fc.constant("WAIT"), fc.constant("0"), fc.constant("0")),
    fc.tuple(fc.constant("CLIENT"), fc.constant("SETNAME"), fc.constantFrom("n1", "n2")),
    fc.tuple(fc.constant("CLIENT"), fc.constant("GETNAME")),
    fc.tuple(fc.constant("CLIENT"), fc.constant("REPLY"), fc.constantFrom("ON", "SKIP", "OFF")),
    fc.tuple(fc.constant("HELLO"), fc.constantFrom("2", "3"), fc.constant("FOO")),
    {
      weight: 2,
      arbitrary: fc.tuple(
        fc.constant("FERRITE.CONSISTENCY"),
        fc.constantFrom("local", "linearizable", "linearizable", "session"),
      ),
    },
  ),
  inline: fc.boolean(),
});

const plan = fc.record({
  commands: fc.array(command, { minLength: 1, maxLength: 60 }),
  /** Sizes of the pieces the bytes are sent in, taken in turn. */
  pieces: fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 8 }),
  /** Writes per apply round, taken in turn; 0 lets a round pass. */
  rounds: fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 8 }),
  writesInFlightMax: fc.integer({ min: 1, max: 10 }),
  deferredCommandsMax: fc.integer({ min: 1, max: 10 }),
  deferredBytesMax: fc.integer({ min: 1, max: 300 }),
  writeBytesInFlightMax: fc.integer({ min: 1, max: 300 }),
});
type Plan = typeof plan extends fc.Arbitrary<infer Value> ? Value : never;

const END = request("RESET") + request("ECHO", "the end");
const END_REPLY = "+RESET\r\n$7\r\nthe end\r\n";

function bytesOf({ commands }: Plan): string {
  const sent = commands.map(({ words, inline }) =>
    inline ? `${words.join(" ")}\r\n` : request(...words),
  );
  return sent.join("") + END;
}

/** What a client gets that sends one command after the other; every write is applied at once. */
async function runOneByOne(chosen: Plan): Promise<string> {
  const test = await startTestServer();
  test.replica.confirmRead = (done) => done(null);
  const client = await test.connect();
  for (const { words } of chosen.commands) {
    client.write(request(...words));
    // A command that answers nothing leaves no other sign of having run.
    const before = test.server.counters.commandsProcessed + test.server.counters.errorReplies;
    while (
      test.server.counters.commandsProcessed + test.server.counters.errorReplies === before ||
      test.replica.pending.length > 0
    ) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  client.write(END);
  return readToEnd(client);
}

/** The same bytes in pieces, with apply rounds and confirmations in between. */
async function runAsPipeline(chosen: Plan): Promise<string> {
  const test = await startTestServer({ limits: chosen });
  test.replica.autoCommit = false;
  const client = await test.connect();
  const state = { done: false };
  const answer = readToEnd(client).finally(() => {
    state.done = true;
  });
  const bytes = Buffer.from(bytesOf(chosen));
  let sent = 0;
  for (let turn = 0; !state.done; turn++) {
    const size = chosen.pieces[turn % chosen.pieces.length];
    if (sent < bytes.length) client.write(bytes.subarray(sent, (sent += size)));
    await new Promise((resolve) => setImmediate(resolve));
    if (turn % 2 === 0) test.replica.confirm();
    // A round of nothing at all would never end the plan of zeros only.
    test.replica.commit(chosen.rounds[turn % chosen.rounds.length] + (turn > 500 ? 1 : 0));
  }
  return answer;
}

async function readToEnd(client: { reply(): Promise<string> }): Promise<string> {
  let all = "";
  while (!all.endsWith(END_REPLY)) all += await client.reply();
  return all;
}

describe("any pipeline", () => {
  it("cut into any pieces, under any limits and apply rounds, is answered as if sent one by one", async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (chosen) => {
        expect(await runAsPipeline(chosen)).toBe(await runOneByOne(chosen));
      }),
      { numRuns: 40 },
    );
  }, 180_000);
});
