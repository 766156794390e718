import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AuditEvent } from "../../src/audit/audit-trail.ts";
import {
  authenticationAccepted,
  authenticationRefused,
  commandDenied,
  connectionRefused,
  connectionRevoked,
  dangerousCommand,
  membershipChanged,
  nodeStarted,
  nodeStopped,
  settingChanged,
  usersChanged,
  type ConnectionRefusal,
} from "../../src/audit/events.ts";
import { redactUserLine } from "../../src/audit/redaction.ts";
import { SETTINGS as TABLE, SETTING_FIELDS, type Setting } from "../../src/config/schema.ts";
import { CLIENT, recordsOnDisk, startWorld } from "./trail-world.ts";

const HASH = "5e884898da28047151d0e56f8dc6292773603d0d6aabbd62a11ef721d1542d8";

describe("Secrets", () => {
  it.each([
    [`user alice on #${HASH} ~app:* +@read`, "user alice on #(redacted) ~app:* +@read"],
    ["on >sesame <old !abc nopass", "on >(redacted) <(redacted) !(redacted) nopass"],
    ['user "a b" ">pass word" ~k', 'user "a b" >(redacted) ~k'],
    ["user x '>it\\'s' on", "user x >(redacted) on"],
    ["user x ~cache:#1 &news>x +get", "user x ~cache:#1 &news>x +get"],
    ["#pbkdf2-sha256$100000$salt$hash", "#(redacted)"],
    ['">unfinished', ">(redacted)"],
    ["\n>after a line end", "\n>(redacted) a line end"],
  ])("in %j are redacted", (line, shown) => {
    expect(redactUserLine(line)).toBe(shown);
  });

  it("never pass, wherever they stand in a line (S13, F94)", () => {
    const secret = fc.stringMatching(/^[a-zA-Z0-9$./+=_-]{8,40}$/).map((text) => `CANARY${text}`);
    const word = fc.constantFrom(
      "on",
      "off",
      "~k*",
      "+@all",
      "-get",
      "&c",
      "(~x +get)",
      "user",
      "bob",
    );
    const line = fc
      .array(
        fc.oneof(
          word,
          fc.tuple(fc.constantFrom("#", ">", "<", "!"), secret).map(([sign, text]) => sign + text),
          fc
            .tuple(fc.constantFrom("#", ">", "<", "!"), secret)
            .map(([sign, text]) => `"${sign}${text} x"`),
        ),
        { maxLength: 12 },
      )
      .map((words) => words.join(" "));
    fc.assert(
      fc.property(line, line, line, (before, after, refusal) => {
        const event = usersChanged({ action: "setuser", client: CLIENT, before, after, refusal });
        expect(JSON.stringify(event)).not.toContain("CANARY");
      }),
      { numRuns: 1000 },
    );
  });

  it("of settings never pass, in a change or in a refusal (S13, F90)", () => {
    const secrets = SETTING_FIELDS.map((field) => TABLE[field] as Setting<unknown>).filter(
      (setting) => setting.secret === true,
    );
    expect(secrets.map(({ name }) => name)).toContain("requirepass");
    for (const name of [...secrets.map((setting) => setting.name), "REQUIREPASS", "requirepas"]) {
      const change = { name, before: "CANARY1", after: "CANARY2", refusal: "bad: CANARY3" };
      expect(JSON.stringify(settingChanged(CLIENT, change))).not.toContain("CANARY");
    }
  });

  it("an empty secret is shown as empty: no password is worth knowing", () => {
    const event = settingChanged(CLIENT, { name: "requirepass", before: "", after: "x" });
    expect(event).toMatchObject({ before: "requirepass ", after: "requirepass (redacted)" });
  });
});

describe("Events", () => {
  const kinds: readonly (readonly [string, AuditEvent, Partial<AuditEvent>])[] = [
    [
      "a login that was accepted (F87)",
      authenticationAccepted(CLIENT, "alice", "certificate"),
      { action: "auth.accepted", outcome: "success", method: "certificate", user: "alice" },
    ],
    [
      "a login that was refused (F87)",
      authenticationRefused(CLIENT, { user: "eve", method: "password", reason: "wrong password" }),
      { action: "auth.refused", outcome: "failure", user: "eve", reason: "wrong password" },
    ],
    [
      "a denial, with user, command, address and id (F92)",
      commandDenied(CLIENT, { kind: "key", command: "get", keys: ["k"], reason: "no key" }),
      { action: "denied.key", category: "denial", client: CLIENT, command: "get" },
    ],
    [
      "a change of users with actor, before and after (F94)",
      usersChanged({
        action: "setuser",
        client: CLIENT,
        before: "user bob on",
        after: "user bob off",
        position: { index: 9, term: 2 },
      }),
      { action: "acl.setuser", before: "user bob on", after: "user bob off", index: 9, term: 2 },
    ],
    [
      "a change of users that the cluster made itself",
      usersChanged({ action: "expire", before: "user bob on" }),
      { action: "acl.expire", outcome: "success", before: "user bob on" },
    ],
    [
      "a change of users that was refused",
      usersChanged({ action: "setuser", client: CLIENT, refusal: "ERR no such rule" }),
      { outcome: "failure", reason: "ERR no such rule" },
    ],
    [
      "CONFIG SET with the old and the new value (F90)",
      settingChanged(CLIENT, { name: "maxclients", before: "10", after: "20" }),
      { action: "config.set", before: "maxclients 10", after: "maxclients 20" },
    ],
    [
      "CONFIG SET that was refused (F90)",
      settingChanged(CLIENT, { name: "timeout", before: "0", after: "x", refusal: "not a number" }),
      { outcome: "failure", reason: "not a number" },
    ],
    [
      "FLUSHALL and the like (F91)",
      dangerousCommand(CLIENT, { command: "flushall", position: { index: 4 } }),
      { action: "command.dangerous", command: "flushall", index: 4, outcome: "success" },
    ],
    [
      "a dangerous command that failed (F91)",
      dangerousCommand(CLIENT, { command: "debug", keys: ["k"], failure: "ERR no" }),
      { outcome: "failure", reason: "ERR no", keys: ["k"] },
    ],
    [
      "a change of members",
      membershipChanged({ action: "added", before: "n1", after: "n1 n2", position: { index: 3 } }),
      { action: "membership.added", before: "n1", after: "n1 n2", index: 3 },
    ],
    [
      "a connection that was closed because its user lost its rights (S09)",
      connectionRevoked(CLIENT, "user alice was removed"),
      { action: "connection.revoked", client: CLIENT },
    ],
    [
      "the start",
      nodeStarted({ version: "1.2.3", settings: { port: "7000", requirepass: "(redacted)" } }),
      { action: "node.started", after: "port 7000; requirepass (redacted)" },
    ],
    ["the stop", nodeStopped(null), { action: "node.stopped", outcome: "success" }],
    [
      "the end by an error",
      nodeStopped(new Error("disk gone")),
      { outcome: "failure", severity: "alert", reason: "disk gone" },
    ],
    ...(
      [
        "protected-mode",
        "tls",
        "max-clients",
        "unauthenticated-limit",
        "unauthenticated-deadline",
        "cross-protocol",
        "certificate",
        "credentials-stale",
        "user-limit",
      ] as const satisfies readonly ConnectionRefusal[]
    ).map(
      (kind) =>
        [
          `a connection refused: ${kind} (F95)`,
          connectionRefused(CLIENT, { kind, reason: "because" }),
          { action: `connection.refused.${kind}`, outcome: "failure", client: CLIENT },
        ] as const,
    ),
  ];

  it.each(kinds)("%s", (_name, event, facts) => {
    expect(event).toMatchObject(facts);
  });

  it("arrive in the trail whole", async () => {
    const { trail, dataDirectory } = await startWorld();
    for (const [, event] of kinds) trail.record(event);
    await trail.close();
    const records = recordsOnDisk(dataDirectory).slice(1);
    expect(records.map(({ action }) => action)).toEqual(kinds.map(([, event]) => event.action));
  });
});
