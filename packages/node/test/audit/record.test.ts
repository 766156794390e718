import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { AuditEvent } from "../../src/audit/audit-trail.ts";
import { deriveChainKey } from "../../src/audit/chain-key.ts";
import { SystemAuditClock, timestampText } from "../../src/audit/clock.ts";
import { KeyNames } from "../../src/audit/key-names.ts";
import { KEYS_PER_RECORD_MAX, LINE_BYTES_MAX, TEXT_LIMITS } from "../../src/audit/limits.ts";
import { Chain } from "../../src/audit/chain.ts";
import { jsonText, readableText } from "../../src/audit/readable-text.ts";
import { NO_HASH, readChainFields, sequenceOfLine, splitLine } from "../../src/audit/record.ts";
import { CLIENT, CLUSTER_ID, ManualAuditClock, NODE_ID } from "./trail-world.ts";

function newChain(policy: "none" | "hash" | "names" = "names"): Chain {
  return new Chain({
    identity: { nodeId: NODE_ID, nodeName: "node-a", clusterId: CLUSTER_ID },
    key: null,
    clock: new ManualAuditClock(),
    keyNames: new KeyNames(policy, null, CLUSTER_ID),
    start: { sequence: 0, hash: NO_HASH, chain: "00112233aabbccdd" },
  });
}

const bytes = fc.uint8Array({ maxLength: 40 }).map((raw) => Buffer.from(raw).toString("latin1"));
const text = fc.oneof(bytes, fc.string({ unit: "binary", maxLength: 40 }), fc.string());

const event: fc.Arbitrary<AuditEvent> = fc.record(
  {
    category: fc.constantFrom("auth", "denial", "acl", "config", "node"),
    action: text,
    severity: fc.constantFrom("info", "notice", "warning", "alert"),
    outcome: fc.constantFrom("success", "failure"),
    user: text,
    method: text,
    command: text,
    keys: fc.array(text, { maxLength: 40 }),
    reason: text,
    before: text,
    after: text,
    index: fc.oneof(fc.nat(), fc.constant(Number.NaN)),
    client: fc.record({
      id: fc.nat(),
      address: text,
      localAddress: text,
      name: text,
      user: fc.option(text),
      isTls: fc.boolean(),
      certificateFingerprint: fc.option(text),
      certificateSerial: fc.option(text),
      certificateSubject: fc.option(text),
    }),
  },
  { requiredKeys: ["category", "action", "severity", "outcome"] },
) as fc.Arbitrary<AuditEvent>;

const FIELDS = [
  ["v", "seq", "ts", "id", "chain", "node", "cluster", "category", "severity", "action", "outcome"],
  ["user", "method", "client", "command", "db", "keys", "more_keys", "reason", "index", "term"],
  ["before", "after", "count", "alg", "prev", "hash"],
].flat();

describe("A record", () => {
  it("is one line of JSON with every field in its place, whatever is in the event (S50)", () => {
    const chain = newChain();
    fc.assert(
      fc.property(event, (any) => {
        const { line, hash } = chain.seal(any);
        const text = line.toString("utf8");
        expect(line.indexOf(0x0a)).toBe(line.length - 1);
        const read = JSON.parse(text) as Record<string, unknown>;
        expect(Object.keys(read)).toEqual(FIELDS);
        expect(read["hash"]).toBe(hash);
        // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
        expect(text.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
        expect(Buffer.from(text, "utf8").equals(line)).toBe(true);
        expect(splitLine(line.subarray(0, -1))?.hash).toBe(hash);
        expect(readChainFields(line.subarray(0, -1))?.sequence).toBe(read["seq"]);
        expect(sequenceOfLine(line)).toBe(read["seq"]);
      }),
      { numRuns: 500 },
    );
  });

  it("holds who, what, where, when and why (S50)", () => {
    const { line } = newChain().seal({
      category: "auth",
      action: "auth.accepted",
      severity: "info",
      outcome: "success",
      client: CLIENT,
      method: "certificate",
      command: "auth",
      index: 12,
      term: 3,
    });
    expect(JSON.parse(line.toString())).toMatchObject({
      v: 1,
      seq: 1,
      ts: "2023-11-14T22:13:20.000123456Z",
      id: "00112233aabbccdd-1",
      node: { id: NODE_ID, name: "node-a" },
      cluster: CLUSTER_ID,
      category: "auth",
      severity: "info",
      action: "auth.accepted",
      outcome: "success",
      user: "alice",
      method: "certificate",
      client: {
        id: 7,
        addr: "10.0.0.9:5000",
        laddr: "10.0.0.1:6379",
        name: "app",
        tls: true,
        cert: "ab".repeat(32),
        cert_serial: "0A",
        cert_subject: "CN=alice",
      },
      command: "auth",
      db: 0,
      index: 12,
      term: 3,
      prev: NO_HASH,
    });
  });

  it("is never longer than a line may be, and says what was cut", () => {
    const huge = "\u0001".repeat(100_000);
    const client = { ...CLIENT, name: huge, address: huge, localAddress: huge };
    const { line, record } = newChain().seal({
      category: "acl",
      action: huge,
      severity: "alert",
      outcome: "failure",
      client: {
        ...client,
        certificateFingerprint: huge,
        certificateSerial: huge,
        certificateSubject: huge,
      },
      user: huge,
      method: huge,
      command: huge,
      keys: Array.from({ length: 1000 }, () => huge),
      reason: huge,
      before: huge,
      after: huge,
    });
    expect(line.length).toBeLessThanOrEqual(LINE_BYTES_MAX);
    expect(record.user).toHaveLength(TEXT_LIMITS.user + "...(cut, 100000 long)".length);
    expect(record.keys).toHaveLength(KEYS_PER_RECORD_MAX);
    expect(record.moreKeys).toBe(1000 - KEYS_PER_RECORD_MAX);
  });

  it("can not be made to look like two: a name with line ends stays inside its field (S21)", () => {
    const name = 'x","outcome":"success"}\r\n{"v":1,"seq":99';
    const { line } = newChain().seal({
      category: "auth",
      action: "auth.refused",
      severity: "warning",
      outcome: "failure",
      user: name,
    });
    const read = JSON.parse(line.toString()) as { user: string; outcome: string; seq: number };
    expect(read).toMatchObject({ user: name, outcome: "failure", seq: 1 });
  });

  it("has a time that is the machine's, finer than a millisecond", () => {
    const clock = new SystemAuditClock();
    const times = Array.from({ length: 200 }, () => clock.nowNanoseconds());
    for (const time of times) {
      expect(Math.abs(Number(time / 1_000_000n) - Date.now())).toBeLessThan(1000);
    }
    expect(times.some((time) => time % 1_000_000n !== 0n)).toBe(true);
    expect(times).toEqual(times.toSorted((left, right) => Number(left - right)));
  });

  it("follows the machine's clock when that is set", () => {
    const clock = new SystemAuditClock();
    vi.spyOn(Date, "now").mockReturnValue(Date.UTC(2030, 0, 1));
    expect(timestampText(clock.nowNanoseconds())).toBe("2030-01-01T00:00:00.000000000Z");
  });

  it("tells time to the nanosecond", () => {
    expect(timestampText(1_700_000_000_987_654_321n)).toBe("2023-11-14T22:13:20.987654321Z");
    expect(timestampText(1_700_000_000_000_000_001n)).toBe("2023-11-14T22:13:20.000000001Z");
  });
});

describe("Names in a record", () => {
  const latin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

  it.each([
    ["plain", "plain"],
    [latin1("grün 日本 🙂"), "grün 日本 🙂"],
    ["DOMAIN\\user", "DOMAIN\\user"],
    ["bad\xff", "bad\\xff"],
    ["bad\\x\xff", "bad\\\\x\\xff"],
    ["\xc3", "\\xc3"],
    ["\\xff", "\\\\xff"],
    ["\ud800wide\u4e00", "\ufffdwide\u4e00"],
  ])("%j reads %j", (given, shown) => {
    expect(readableText(given, 100)).toBe(shown);
  });

  it("of different bytes never look the same", () => {
    const near = fc.array(fc.constantFrom("\\", "x", "f", "\xff", "\xc3", "\xbc", "5", "c"), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(near, near, (left, right) => {
        fc.pre(left.join("") !== right.join(""));
        expect(readableText(left.join(""), 100)).not.toBe(readableText(right.join(""), 100));
      }),
      { numRuns: 5000 },
    );
  });

  it("are cut between characters", () => {
    const long = latin1("🙂".repeat(1000));
    const shown = readableText(long, 7);
    expect(shown).toBe(`🙂🙂🙂...(cut, ${long.length} long)`);
    expect(shown.isWellFormed()).toBe(true);
  });

  it("escape what turns or ends a line on a terminal", () => {
    expect(jsonText("a\u202eb\u2028c\u009bd\u001be\u007f")).toBe(
      '"a\\u202eb\\u2028c\\u009bd\\u001be\\u007f"',
    );
  });
});

describe("Names of keys (audit-keys)", () => {
  const denied = (keys: readonly string[]): AuditEvent => ({
    category: "denial",
    action: "denied.key",
    severity: "warning",
    outcome: "failure",
    keys,
  });

  it("are hashed by default: equal for equal names, on every node of a cluster", () => {
    const [first, second] = newChain("hash").seal(denied(["user:1", "user:2"])).record.keys!;
    expect(first).toMatch(/^hmac:[0-9a-f]{32}$/);
    expect(second).not.toBe(first);
    expect(newChain("hash").seal(denied(["user:1"])).record.keys).toEqual([first]);
    const elsewhere = new KeyNames("hash", null, "another cluster");
    expect(elsewhere.hash("user:1")).not.toBe(first);
  });

  it("can not be guessed without the key where there is one", () => {
    const guess = new KeyNames("hash", null, CLUSTER_ID).hash("user:1");
    const key = deriveChainKey(Buffer.from("0123456789abcdef"));
    expect(new KeyNames("hash", key, CLUSTER_ID).hash("user:1")).not.toBe(guess);
  });

  it("are left out, or shown, when that was set", () => {
    expect(newChain("none").seal(denied(["user:1"])).record.keys).toBeNull();
    expect(newChain("names").seal(denied(["user:1\xff"])).record.keys).toEqual(["user:1\\xff"]);
  });
});
