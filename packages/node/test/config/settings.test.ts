import { describe, expect, it } from "vitest";
import { globMatches } from "../../src/config/glob.ts";
import type { NodeConfig } from "../../src/config/node-config.ts";
import { parseConfig } from "../../src/config/parse-config.ts";
import { Settings } from "../../src/config/settings.ts";
import { changedSettings } from "../../src/config/show.ts";

function configWith(values: Record<string, string> = {}): NodeConfig {
  const flags = Object.entries(values).map(([name, value]) => ({ name, value, flag: `--${name}` }));
  return parseConfig({ flags }, { hostname: "box", workingDirectory: "/w", isTerminal: false })
    .config;
}

function failure(name: string, problem: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${name}') - ${problem}`;
}

describe("CONFIG SET answers as Redis 7.0 does", () => {
  it.each<[string, [string, string][], string]>([
    [
      "an unknown name",
      [["nosuch", "1"]],
      "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'",
    ],
    [
      "an unknown name behind a good one",
      [
        ["maxclients", "5"],
        ["no", "2"],
      ],
      "ERR Unknown option or number of arguments for CONFIG SET - 'no'",
    ],
    [
      "a word for a number",
      [["maxclients", "abc"]],
      failure("maxclients", "argument couldn't be parsed into an integer"),
    ],
    [
      "an empty number",
      [["timeout", ""]],
      failure("timeout", "argument couldn't be parsed into an integer"),
    ],
    [
      "a number with a blank",
      [["timeout", " 5"]],
      failure("timeout", "argument couldn't be parsed into an integer"),
    ],
    [
      "a number with a unit",
      [["timeout", "5s"]],
      failure("timeout", "argument couldn't be parsed into an integer"),
    ],
    [
      "no clients at all",
      [["maxclients", "0"]],
      failure("maxclients", "argument must be between 1 and 4294967295 inclusive"),
    ],
    [
      "a negative timeout",
      [["timeout", "-1"]],
      failure("timeout", "argument must be between 0 and 2147483647 inclusive"),
    ],
    [
      "a timeout beyond 31 bits",
      [["timeout", "99999999999"]],
      failure("timeout", "argument must be between 0 and 2147483647 inclusive"),
    ],
    [
      "the same name twice",
      [
        ["maxclients", "1"],
        ["MaxClients", "2"],
      ],
      failure("MaxClients", "duplicate parameter"),
    ],
    [
      "bytes that are none",
      [["proto-max-bulk-len", "12xx"]],
      failure("proto-max-bulk-len", "argument must be a memory value"),
    ],
    [
      "bytes with a fraction",
      [["proto-max-bulk-len", "1.5mb"]],
      failure("proto-max-bulk-len", "argument must be a memory value"),
    ],
    [
      "negative bytes",
      [["maxmemory", "-1"]],
      failure("maxmemory", "argument must be a memory value"),
    ],
    [
      "a word that is not one of some",
      [["loglevel", "loud"]],
      failure(
        "loglevel",
        "argument(s) must be one of the following: trace, debug, info, warn, error",
      ),
    ],
    [
      "what can not change",
      [["databases", "5"]],
      failure("databases", "can't set immutable config"),
    ],
    [
      "our own that can not change",
      [["heartbeat-interval-ms", "9"]],
      failure("heartbeat-interval-ms", "can't set immutable config"),
    ],
    [
      "a limit of three words",
      [["client-output-buffer-limit", "normal 1"]],
      failure(
        "client-output-buffer-limit",
        "Wrong number of arguments in buffer limit configuration.",
      ),
    ],
    [
      "a limit for nobody",
      [["client-output-buffer-limit", "foo 1 2 3"]],
      failure(
        "client-output-buffer-limit",
        "Invalid client class specified in buffer limit configuration.",
      ),
    ],
    [
      "a limit that is no number",
      [["client-output-buffer-limit", "normal 1mb -2 3"]],
      failure(
        "client-output-buffer-limit",
        "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
      ),
    ],
  ])("%s", (_name, pairs, error) => {
    const settings = new Settings(configWith());
    const before = settings.current();
    expect(settings.set(pairs)).toBe(error);
    expect(settings.current()).toBe(before);
  });

  it("changes nothing when one of several is wrong", () => {
    const settings = new Settings(configWith());
    expect(
      settings.set([
        ["timeout", "5"],
        ["maxclients", "bad"],
      ]),
    ).toContain("'maxclients'");
    expect(settings.get("timeout")).toBe("0");
  });

  it("refuses values that do not fit the others, and takes them when changed together", () => {
    const settings = new Settings(configWith({ "peer-frame-bytes-max": "1gb" }));
    expect(settings.set([["proto-max-bulk-len", "500mb"]])).toBe(
      failure(
        "proto-max-bulk-len",
        "client-query-buffer-limit: must be at least proto-max-bulk-len",
      ),
    );
    expect(
      settings.set([
        ["proto-max-bulk-len", "500mb"],
        ["client-query-buffer-limit", "1gb"],
      ]),
    ).toBeNull();
    expect(
      new Settings(configWith()).set([
        ["proto-max-bulk-len", "512mb"],
        ["client-query-buffer-limit", "1gb"],
      ]),
    ).toBe(
      failure(
        "proto-max-bulk-len",
        "must be at most peer-frame-bytes-max less 1mb, that is 82837504",
      ),
    );
  });

  it("settings of Redis that never change here accept what they are and explain the rest", () => {
    const settings = new Settings(configWith());
    expect(
      settings.set([
        ["save", ""],
        ["appendonly", "YES"],
        ["maxmemory-policy", "noeviction"],
      ]),
    ).toBeNull();
    expect(settings.set([["appendonly", "no"]])).toBe(
      failure(
        "appendonly",
        "it is always 'yes' here: every write is in the log on a majority before it is answered",
      ),
    );
  });
});

describe("live changes", () => {
  it("listeners get the new configuration and what changed, once, and nothing when all stays as it was", () => {
    const settings = new Settings(configWith());
    const seen: [number, string[]][] = [];
    const stop = settings.onChange((config, changed) =>
      seen.push([config.maxClients, [...changed]]),
    );
    expect(
      settings.set([
        ["maxclients", "7"],
        ["loglevel", "verbose"],
      ]),
    ).toBeNull();
    expect(settings.set([["maxclients", "7"]])).toBeNull();
    stop();
    expect(settings.set([["maxclients", "8"]])).toBeNull();
    expect(seen).toEqual([[7, ["maxClients", "logLevel"]]]);
    expect(settings.current().logLevel).toBe("debug");
  });

  it.each<[string, string, string]>([
    ["proto-max-bulk-len", "2mb", "2097152"],
    ["maxmemory", "1gb", "1073741824"],
    ["maxmemory", "1g", "1000000000"],
    ["proto-max-bulk-len", "1048576b", "1048576"],
    [
      "client-output-buffer-limit",
      "normal 1mb 0 0 pubsub 1 1 1",
      "normal 1048576 0 0 slave 0 0 0 pubsub 0 0 0",
    ],
    ["client-output-buffer-limit", "normal 0 0 0", "normal 0 0 0 slave 0 0 0 pubsub 0 0 0"],
    ["client-output-buffer-limit", "", "normal 268435456 0 0 slave 0 0 0 pubsub 0 0 0"],
    [
      "client-output-buffer-limit",
      "replica 1mb 0 0",
      "normal 268435456 0 0 slave 0 0 0 pubsub 0 0 0",
    ],
    ["read-consistency", "Linearizable", "linearizable"],
  ])("CONFIG SET %s %j is shown as %j", (name, text, shown) => {
    const settings = new Settings(configWith());
    expect(settings.set([[name, text]])).toBeNull();
    expect(settings.match([name])).toEqual([[name, shown]]);
  });
});

describe("CONFIG GET", () => {
  it("answers what tools ask for", () => {
    const settings = new Settings(configWith({ bind: "127.0.0.1 -::1" }));
    expect(settings.match(["save", "appendonly", "databases", "maxmemory-policy", "bind"])).toEqual(
      [
        ["save", ""],
        ["appendonly", "yes"],
        ["databases", "1"],
        ["maxmemory-policy", "noeviction"],
        ["bind", "127.0.0.1 -::1"],
      ],
    );
  });

  it("an exact name is answered in the spelling asked, once, and an unknown one not at all", () => {
    const settings = new Settings(configWith());
    expect(settings.match(["MaxClients", "maxclients", "nosuch", "maxc*"])).toEqual([
      ["MaxClients", "10000"],
    ]);
  });

  it("patterns match as Redis' do", () => {
    const settings = new Settings(configWith());
    expect(settings.match(["por[t]", "MAXM*"]).map(([name]) => name)).toEqual([
      "port",
      "maxmemory",
      "maxmemory-policy",
    ]);
    expect(settings.match(["*"]).length).toBeGreaterThan(40);
  });

  it("a password is never shown, only that there is one", () => {
    const settings = new Settings(configWith({ requirepass: "hush", "cluster-token": "hush" }));
    expect(settings.match(["requirepass"])).toEqual([["requirepass", "(redacted)"]]);
    expect(settings.current().requirepass).toBe("hush");
    expect(JSON.stringify(settings.match(["*"]))).not.toContain("hush");
    expect(changedSettings(settings.current())).toMatchObject({
      requirepass: "(redacted)",
      "cluster-token": "(redacted)",
    });
    expect(settings.set([["requirepass", ""]])).toBeNull();
    expect(settings.get("requirepass")).toBe("");
  });
});

describe("the settings logged at start", () => {
  it("are those that are not at their defaults, and what was derived", () => {
    expect(changedSettings(configWith({ port: "7000", maxmemory: "1gb", timeout: "0" }))).toEqual({
      "node-name": "box",
      dir: "/w/ferrite-data",
      port: "7000",
      "client-announce": "127.0.0.1:7000",
      maxmemory: "1073741824",
      "peer-port": "17000",
      "peer-announce": "127.0.0.1:17000",
      "log-format": "json",
    });
  });
});

describe("glob patterns", () => {
  it.each<[string, string, boolean]>([
    ["*", "", true],
    ["a*c", "abbc", true],
    ["a*c", "abcd", false],
    ["?", "", false],
    ["[a-c]x", "bx", true],
    ["[c-a]x", "bx", true],
    ["[^a-c]x", "bx", false],
    ["[^a]", "b", true],
    ["[abc", "c", true],
    [String.raw`\*`, "*", true],
    [String.raw`\*`, "a", false],
    [String.raw`[\]]`, "]", true],
    ["**a**", "bab", true],
    ["", "a", false],
  ])("%s on %s is %s", (pattern, name, matches) => {
    expect(globMatches(pattern, name)).toBe(matches);
  });

  it("a pattern made to be slow is not", () => {
    const started = performance.now();
    expect(globMatches("*a".repeat(200) + "b", "a".repeat(400))).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe("A setting that takes time to be looked at", () => {
  const tls = { "tls-cert-file": "/a.crt", "tls-key-file": "/a.key" };

  it("is asked about before it is changed, with the configuration that would be", async () => {
    const settings = new Settings(configWith(tls));
    const asked: unknown[] = [];
    settings.checkBefore(["tlsCertFile"], (next, changed) => {
      asked.push([next.tlsCertFile, [...changed]]);
      return Promise.resolve("tls-cert-file /b.crt is not there.");
    });
    const pairs = [
      ["maxclients", "7"],
      ["tls-cert-file", "/b.crt"],
    ] as const;
    expect(await settings.prepare(pairs)).toBe(
      failure("maxclients", "tls-cert-file /b.crt is not there."),
    );
    expect(asked).toEqual([["/b.crt", ["maxClients", "tlsCertFile"]]]);
    expect(settings.get("tls-cert-file")).toBe("/a.crt");
  });

  it("needs no waiting when it stays as it is, is another one, or is refused anyway", () => {
    const settings = new Settings(configWith(tls));
    settings.checkBefore(["tlsCertFile"], () => Promise.resolve("never asked"));
    expect(settings.prepare([["maxclients", "7"]])).toBeNull();
    expect(settings.prepare([["tls-cert-file", "/a.crt"]])).toBeNull();
    expect(settings.prepare([["nosuch", "7"]])).toBeNull();
  });
});
