import { describe, expect, it } from "vitest";
import { refusalOfTlsError } from "../../src/peers/connection-refusal.ts";
import type { PeerRefusal } from "../../src/peers/connection-refusal.ts";
import { LogLimiter } from "../../src/peers/log-limiter.ts";
import type { PeerPorts } from "../../src/peers/ports.ts";
import { RefusalDesk } from "../../src/peers/refusal-desk.ts";
import { peerRefused } from "../../src/audit/peer-events.ts";
import type { AuditEvent } from "../../src/audit/audit-trail.ts";
import { HeldRefusals } from "../../src/start/held-refusals.ts";

const tlsError = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

describe("a TLS handshake that failed", () => {
  it.each([
    ["ERR_TLS_HANDSHAKE_TIMEOUT", "handshakeTimeout"],
    ["ERR_SSL_HTTP_REQUEST", "notTls"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "notTls"],
    ["ERR_SSL_PACKET_LENGTH_TOO_LONG", "notTls"],
    ["ERR_SSL_UNSUPPORTED_PROTOCOL", "tlsVersion"],
    ["ERR_SSL_NO_SHARED_CIPHER", "tlsVersion"],
    ["ERR_SSL_DECODE_ERROR", "malformed"],
  ])("with %s is a refusal: %s", (code, reason) => {
    expect(refusalOfTlsError(tlsError(code))?.reason).toBe(reason);
  });

  it("because the other side left or refused is none of ours", () => {
    for (const code of ["ECONNRESET", "EPIPE", "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA"]) {
      expect(refusalOfTlsError(tlsError(code))).toBeNull();
    }
    expect(refusalOfTlsError(new Error("no code"))).toBeNull();
  });
});

describe("refusals of peers", () => {
  function desk(): {
    told: PeerRefusal[];
    logged: string[];
    desk: RefusalDesk;
    pass(ms: number): void;
  } {
    let nowMs = 0;
    const told: PeerRefusal[] = [];
    const logged: string[] = [];
    const log =
      (level: string) =>
      (fields: Record<string, unknown>): void => {
        logged.push(`${level} ${String(fields["reason"])}`);
      };
    const ports: PeerPorts = {
      logger: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
      clock: { nowMs: () => nowMs, after: () => () => undefined },
      random: () => 0,
      onRefused: (refusal) => told.push(refusal),
    };
    const pass = (ms: number): void => {
      nowMs += ms;
    };
    return { told, logged, desk: new RefusalDesk(ports, 1000), pass };
  }
  const from = (remote: string) =>
    ({ side: "accepted", remote, peer: null, certificate: null }) as const;

  it("are all counted, and told once per host, reason and interval (S31)", () => {
    const it = desk();
    for (let port = 1; port <= 50; port++) {
      it.desk.tell({ reason: "missing", text: "none" }, from(`10.0.0.1:${port}`));
    }
    it.desk.tell({ reason: "expired", text: "over" }, from("10.0.0.1:60"));
    it.desk.tell({ reason: "missing", text: "none" }, from("10.0.0.2:1"));
    expect(it.desk.counts.missing).toBe(51);
    expect(it.told.map(({ reason, remote }) => `${reason} ${remote}`)).toEqual([
      "missing 10.0.0.1:1",
      "expired 10.0.0.1:60",
      "missing 10.0.0.2:1",
    ]);
    it.pass(1000);
    it.desk.tell({ reason: "missing", text: "none" }, from("10.0.0.1:99"));
    expect(it.told.at(-1)?.suppressed).toBe(49);
    expect(it.logged).toHaveLength(4);
  });

  it("for this node's own certificate are errors: nobody else will mend them", () => {
    const it = desk();
    it.desk.tell({ reason: "ownExpired", text: "over" }, from("10.0.0.1:1"));
    expect(it.logged).toEqual(["error ownExpired"]);
  });

  it("are remembered of a bounded number of hosts", () => {
    const limiter = new LogLimiter(1000);
    limiter.pass("first", 0);
    for (let i = 0; i < 1024; i++) limiter.pass(`key ${i}`, 0);
    // Forgotten, so it may be told again.
    expect(limiter.pass("first", 1)).toEqual({ suppressed: 0 });
    expect(limiter.pass("key 1023", 1)).toBeNull();
  });
});

describe("refusals of peers in the audit trail", () => {
  const refusal = (port: number, suppressed = 0): PeerRefusal => ({
    reason: "untrusted",
    text: "It leads to no authority.",
    side: "accepted",
    remote: `10.0.0.1:${port}`,
    peer: null,
    certificate: { subject: "CN=x", serial: "0A", fingerprint: "AB".repeat(32) },
    suppressed,
  });

  it("name reason, address and certificate (S31)", () => {
    expect(peerRefused({ ...refusal(7, 3), peer: "node-2", side: "dialed" })).toMatchObject({
      category: "connection",
      action: "peer.refused.untrusted",
      outcome: "failure",
      reason: "Dialed: It leads to no authority. 3 like it were not recorded.",
      client: {
        address: "10.0.0.1:7",
        name: "node-2",
        certificateFingerprint: "AB".repeat(32),
        certificateSerial: "0A",
        certificateSubject: "CN=x",
      },
    });
  });

  it("from before there is a trail are held, the newest 256, and how many were not is said", () => {
    const held = new HeldRefusals();
    for (let port = 1; port <= 300; port++) held.take(refusal(port));
    const records: AuditEvent[] = [];
    held.attach({ record: (event) => records.push(event) });
    expect(records).toHaveLength(256);
    expect(records[0].client?.address).toBe("10.0.0.1:45");
    expect(records[0].reason).toContain("44 like it were not recorded");
    held.take(refusal(301));
    expect(records.at(-1)?.client?.address).toBe("10.0.0.1:301");
  });
});
