import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/config/config-error.ts";
import { clientTlsFiles, peerTlsFiles } from "../../src/config/tls-files.ts";
import { parseConfig, type HostFacts, type ParsedConfig } from "../../src/config/parse-config.ts";
import {
  environmentName,
  SETTING_FIELDS,
  SETTINGS,
  type Setting,
} from "../../src/config/schema.ts";
import type { ConfigSources } from "../../src/config/sources.ts";

const HOST: HostFacts = { hostname: "box", workingDirectory: "/srv/node", isTerminal: false };

function parse(sources: ConfigSources, host: HostFacts = HOST): ParsedConfig {
  return parseConfig(sources, host);
}

function flags(values: Record<string, string>): NonNullable<ConfigSources["flags"]> {
  return Object.entries(values).map(([name, value]) => ({ name, value, flag: `--${name}` }));
}

function file(content: string): NonNullable<ConfigSources["file"]> {
  return { path: "ferrite.conf", content };
}

function errorOf(sources: ConfigSources, host: HostFacts = HOST): string {
  try {
    parse(sources, host);
  } catch (error) {
    if (error instanceof ConfigError && error.code === "FERRITE_CONFIG_INVALID")
      return error.message;
    throw error;
  }
  throw new Error("expected the configuration to be refused");
}

const TLS = {
  "peer-tls-cert-file": "certs/n.pem",
  "peer-tls-key-file": "/abs/n.key",
  "peer-tls-ca-cert-file": "certs/ca.pem",
};

describe("sources of settings", () => {
  it("a flag beats the environment, which beats the file, which beats the default", () => {
    const all = {
      flags: flags({ maxclients: "4" }),
      environment: { FERRITE_MAXCLIENTS: "3" },
      file: file("maxclients 2\n"),
    };
    expect(parse({}).config.maxClients).toBe(10000);
    expect(parse({ file: all.file }).config.maxClients).toBe(2);
    expect(parse({ file: all.file, environment: all.environment }).config.maxClients).toBe(3);
    expect(parse(all).config.maxClients).toBe(4);
  });

  it("every default is legal and every setting can be given by flag, environment and file", () => {
    for (const field of SETTING_FIELDS) {
      const setting = SETTINGS[field] as Setting<unknown>;
      expect([setting.name, setting.kind.parse(setting.defaultText).ok]).toEqual([
        setting.name,
        true,
      ]);
    }
    const names = SETTING_FIELDS.map((field) => SETTINGS[field].name);
    expect(new Set(names).size).toBe(names.length);
    const given = names.map(
      (name, index) => [name, SETTINGS[SETTING_FIELDS[index]].defaultText] as const,
    );
    parse({ flags: flags(Object.fromEntries(given)) });
    parse({
      environment: Object.fromEntries(given.map(([name, text]) => [environmentName(name), text])),
    });
    parse({ file: file(given.map(([name, text]) => `${name} "${text}"`).join("\n")) });
  });

  it("TLS_CERT_FILE and its siblings are used for clients and peers, and our own variables are stronger", () => {
    const environment = { TLS_CERT_FILE: "/c", TLS_KEY_FILE: "/k", TLS_CA_FILE: "/a" };
    const { config } = parse({ environment: { ...environment, FERRITE_PEERS: "n2=h:1" } });
    const files = {
      certFile: "/c",
      keyFile: "/k",
      keyPassphraseFile: null,
      caFile: "/a",
      caDirectory: null,
      crlFile: null,
    };
    expect(clientTlsFiles(config)).toEqual(files);
    expect(config.tlsPort).toBe(6380);
    expect(peerTlsFiles(config)).toEqual(files);
    const own = { FERRITE_PEERS: "n2=h:1", FERRITE_PEER_TLS_CERT_FILE: "/own" };
    const stronger = parse({ environment: { ...environment, ...own } }).config;
    expect(peerTlsFiles(stronger)).toEqual({ ...files, certFile: "/own" });
    expect(clientTlsFiles(stronger)).toEqual(files);
    const withFile = parse({ environment, file: file("tls-cert-file /file") });
    expect(withFile.config.tlsCertFile).toBe("/c");
  });

  it("variables that Kubernetes makes for a service called ferrite are not taken for settings", () => {
    const environment = {
      FERRITE_PORT: "tcp://10.0.0.1:6379",
      FERRITE_SERVICE_HOST: "10.0.0.1",
      FERRITE_SERVICE_PORT_RESP: "6379",
      FERRITE_PORT_6379_TCP_ADDR: "10.0.0.1",
      FERRITE_CONFIG: "/etc/ferrite.conf",
    };
    expect(parse({ environment }).config.port).toBe(6379);
    expect(parse({ environment: { FERRITE_PORT: "7000" } }).config.port).toBe(7000);
  });

  it("the last of several lines for one directive counts, and names ignore case", () => {
    expect(parse({ file: file("port 1\nPORT 7000") }).config.port).toBe(7000);
  });

  it("lines of a redis.conf that say what is so anyway are accepted", () => {
    const content = 'save ""\nappendonly yes\nappendfsync always\ndatabases 1\nDaemonize NO\n';
    expect(parse({ file: file(content) }).config).toEqual(parse({}).config);
  });
});

describe("refused settings name their source and what to do", () => {
  it.each<[string, ConfigSources, string]>([
    [
      "a word for a number",
      { flags: flags({ port: "abc" }) },
      `--port: port: argument couldn't be parsed into an integer (got "abc")`,
    ],
    [
      "a number out of range",
      { environment: { FERRITE_PORT: "70000" } },
      `FERRITE_PORT: port: argument must be between 0 and 65535 inclusive (got "70000")`,
    ],
    [
      "bytes with a wrong unit",
      { file: file("\n\nmaxmemory 1tb") },
      `ferrite.conf:3: maxmemory: argument must be a memory value (got "1tb")`,
    ],
    [
      "neither yes nor no",
      { file: file("replica-serve-stale-data maybe") },
      `ferrite.conf:1: replica-serve-stale-data: argument must be 'yes' or 'no' (got "maybe")`,
    ],
    [
      "a word that is not one of some",
      { flags: flags({ loglevel: "loud" }) },
      `--loglevel: loglevel: argument(s) must be one of the following: trace, debug, info, warn, error (got "loud")`,
    ],
    [
      "an unknown directive",
      { file: file("# hello\nprot 1") },
      `ferrite.conf:2: unknown directive "prot" (did you mean "port"?)`,
    ],
    [
      "a name with a word too many in front",
      { file: file("data-dir /srv") },
      `ferrite.conf:1: unknown directive "data-dir" (did you mean "dir"?)`,
    ],
    [
      "an unknown directive like no other",
      { file: file("loadmodule /x.so") },
      `ferrite.conf:1: unknown directive "loadmodule"`,
    ],
    [
      "an unknown variable",
      { environment: { FERRITE_REQUIRPASS: "x" } },
      `FERRITE_REQUIRPASS: unknown setting (did you mean "FERRITE_REQUIREPASS"?)`,
    ],
    [
      "an unknown flag",
      { flags: [{ name: "prt", value: "1", flag: "--set prt=1" }] },
      `--set prt=1: unknown setting "prt" (did you mean "port"?)`,
    ],
    [
      "quotes that do not end",
      { file: file('requirepass "abc') },
      `ferrite.conf:1: unbalanced quotes`,
    ],
    ["no value", { file: file("port") }, `ferrite.conf:1: port: takes one value, got 0`],
    ["too many values", { file: file("port 1 2") }, `ferrite.conf:1: port: takes one value, got 2`],
    [
      "a Redis setting that is always the same",
      { file: file("appendfsync everysec") },
      `ferrite.conf:1: appendfsync is always always: every write is on disk on a majority before it is answered`,
    ],
    [
      "a peer without a name",
      { flags: flags({ peers: "h:1" }) },
      `--peers: peers: "h:1" is not name=host:port (got "h:1")`,
    ],
    [
      "two peers of one name",
      { flags: flags({ peers: "a=h:1,a=h:2" }) },
      `--peers: peers: "a" is named twice (got "a=h:1,a=h:2")`,
    ],
    [
      "a node name that no certificate can hold",
      { flags: flags({ "node-name": "a b" }) },
      `--node-name: node-name: argument must be a name of letters, digits, '.', '_' and '-' (got "a b")`,
    ],
    [
      "an address without a port",
      { flags: flags({ "peer-announce": "::1" }) },
      `--peer-announce: peer-announce: argument must be host:port (an IPv6 address in brackets: [::1]:7000) (got "::1")`,
    ],
  ])("%s", (_name, sources, message) => {
    expect(errorOf(sources)).toBe(message);
  });

  it("all problems are told at once", () => {
    expect(errorOf({ file: file("prot 1\nport x\nsave 900 1") }).split("\n")).toHaveLength(3);
  });

  it("a secret is never part of an error", () => {
    const message = errorOf({
      flags: [
        { name: "cluster-token", value: "hush", flag: "--cluster-token" },
        { name: "port", value: "x", flag: "--port" },
      ],
      file: file('requirepass hush1 hush2\nrequirepass "hush3'),
    });
    expect(message).not.toContain("hush");
  });
});

describe("settings that must fit together", () => {
  it("a node without peers needs nothing else", () => {
    const { config, warnings } = parse({});
    expect(config).toMatchObject({
      nodeName: "box",
      peers: [],
      tlsPort: null,
      port: 6379,
      httpPort: 8080,
    });
    expect(config.dataDir).toBe("/srv/node/ferrite-data");
    expect(warnings).toEqual([]);
  });

  it("peers without certificates are refused with what is missing and how to make it", () => {
    expect(errorOf({ flags: flags({ "node-name": "n1", peers: "n2=h:1" }) })).toBe(
      "--peers: peers: are set, and nodes talk to each other over mutual TLS only; missing: peer-tls-cert-file, " +
        "peer-tls-key-file, peer-tls-ca-cert-file. Make certificates with `ferrite certs init` and " +
        "`ferrite certs node n1`, then set them",
    );
  });

  it("peers with only some of the files are refused and the missing one is named", () => {
    const { "peer-tls-key-file": _key, ...partial } = TLS;
    expect(errorOf({ flags: flags({ peers: "n2=h:1", ...partial }) })).toContain(
      "missing: peer-tls-key-file.",
    );
  });

  it("peers with certificates are accepted, and paths are made absolute", () => {
    const { config } = parse({ flags: flags({ peers: "n2=h:1 n3=h:2", ...TLS }) });
    expect(config.peers).toEqual([
      { name: "n2", address: "h:1" },
      { name: "n3", address: "h:2" },
    ]);
    expect(peerTlsFiles(config)).toEqual({
      certFile: "/srv/node/certs/n.pem",
      keyFile: "/abs/n.key",
      keyPassphraseFile: null,
      caFile: "/srv/node/certs/ca.pem",
      caDirectory: null,
      crlFile: null,
    });
  });

  it("all nodes can share one list of peers: a node's own entry says where it listens", () => {
    const { config } = parse({
      flags: flags({ "node-name": "n2", peers: "n1=a:7001,n2=b:7002,n3=c:7003", ...TLS }),
    });
    expect(config.peers.map((peer) => peer.name)).toEqual(["n1", "n3"]);
    expect(config.peerPort).toBe(7002);
    expect(config.peerAnnounce).toBe("b:7002");
  });

  it("a certificate for clients without its key is refused", () => {
    expect(errorOf({ environment: { TLS_CERT_FILE: "/c" } })).toBe(
      "default: tls-key-file: is missing: a certificate and its key belong together",
    );
  });

  it("TLS that was asked for and can not be is refused, and never silently absent", () => {
    expect(errorOf({ flags: flags({ "tls-port": "6380" }) })).toContain(
      "tls-port: needs tls-cert-file",
    );
    expect(errorOf({ flags: flags({ require_tls: "yes" }) })).toContain(
      "require-tls: needs a tls-port",
    );
    expect(errorOf({ flags: flags({ "http-tls": "yes" }) })).toContain(
      "http-tls: needs tls-cert-file",
    );
    const off = {
      "tls-cert-file": "/c",
      "tls-key-file": "/k",
      "tls-port": "no",
      "require-tls": "yes",
    };
    expect(errorOf({ flags: flags(off) })).toContain("require-tls: needs a tls-port");
    const users = { "tls-cert-file": "/c", "tls-key-file": "/k", "tls-auth-clients-user": "CN" };
    expect(errorOf({ flags: flags(users) })).toContain("needs certificates of clients");
  });

  it("the peer port follows the port, also when a free one is asked for", () => {
    expect(parse({ flags: flags({ port: "7000" }) }).config.peerPort).toBe(17000);
    expect(parse({ flags: flags({ port: "0" }) }).config.peerPort).toBe(0);
    expect(parse({ flags: flags({ port: "60000" }) }).config.peerPort).toBe(0);
    expect(errorOf({ flags: flags({ port: "60000", peers: "b=h:1", ...TLS }) })).toContain(
      "set peer-port",
    );
  });

  it("the peer port's interface is found out at the start unless peer-bind names it", () => {
    const peers = "box=10.0.0.5:7100,b=10.0.0.6:7100";
    const { config } = parse({ flags: flags({ "node-name": "box", peers, ...TLS }) });
    expect(config.peerBind).toBeNull();
    expect(config.peerAnnounce).toBe("10.0.0.5:7100");
    expect(parse({ flags: flags({ "peer-bind": "0.0.0.0" }) }).config.peerBind).toBe("0.0.0.0");
    expect(parse({ flags: flags({}) }).config.peerAnnounce).toBe("127.0.0.1:16379");
  });

  it("a wildcard is never announced", () => {
    const { config, warnings } = parse({ flags: flags({ bind: "* ::*", "peer-bind": "*" }) });
    expect(config.bind).toEqual(["0.0.0.0", "::"]);
    expect(config.clientAnnounce).toBe("box:6379");
    expect(config.peerAnnounce).toBe("box:16379");
    expect(warnings).toEqual([]);
  });

  it("an open port is worth a warning when protected mode is off and there is no password", () => {
    const open = { bind: "*", "protected-mode": "no" };
    expect(parse({ flags: flags(open) }).warnings.join()).toContain("without a password");
    expect(parse({ flags: flags({ ...open, requirepass: "x" }) }).warnings).toEqual([]);
    expect(parse({ flags: flags({ ...open, bind: "127.0.0.1 ::1" }) }).warnings).toEqual([]);
  });

  it.each<[string, Record<string, string>, string]>([
    [
      "an election before three heartbeats",
      { "heartbeat-interval-ms": "200" },
      "default: election-timeout-ms: must be at least 3 times heartbeat-interval-ms, that is 600",
    ],
    [
      "an argument larger than a frame",
      { "proto-max-bulk-len": "80mb" },
      "--proto-max-bulk-len: proto-max-bulk-len: must be at most peer-frame-bytes-max less 1mb, that is 82837504",
    ],
    [
      "a query buffer smaller than an argument",
      { "client-query-buffer-limit": "1mb" },
      "--client-query-buffer-limit: client-query-buffer-limit: must be at least proto-max-bulk-len",
    ],
    ["one port for two things", { port: "8080" }, "default: http-port: is the same as port (8080)"],
    [
      "one port for peers and clients",
      { port: "7000", "peer-port": "7000", peers: "b=h:1", ...TLS },
      "--peer-port: peer-port: is the same as port (7000)",
    ],
    [
      "one port for peers and HTTP",
      { "peer-port": "8080", peers: "b=h:1", ...TLS },
      "--peer-port: peer-port: is the same as http-port (8080)",
    ],
    [
      "a peer that is the node itself under another name",
      { peers: "b=127.0.0.1:16379", ...TLS },
      "--peers: peers: b has this node's own address 127.0.0.1:16379",
    ],
    [
      "a peer whose port nobody knows",
      { peers: "b=h:0", ...TLS },
      "--peers: peers: b has port 0; the port of a peer must be known",
    ],
  ])("refuses %s", (_name, values, message) => {
    expect(errorOf({ flags: flags(values) })).toBe(message);
  });

  it("logs are pretty on a terminal and JSON otherwise, unless asked", () => {
    const terminal = { ...HOST, isTerminal: true };
    expect(parse({}).config.logFormat).toBe("json");
    expect(parse({}, terminal).config.logFormat).toBe("pretty");
    expect(parse({ flags: flags({ "log-format": "json" }) }, terminal).config.logFormat).toBe(
      "json",
    );
  });

  it("a host name that can not be a node name is replaced", () => {
    expect(parse({}, { ...HOST, hostname: "my machine" }).config.nodeName).toBe("ferrite");
  });

  it("HTTP can be turned off", () => {
    expect(parse({ flags: flags({ "http-port": "no" }) }).config.httpPort).toBeNull();
  });
});
