import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { SETTING_FIELDS, SETTINGS } from "@ferrite/node/config";
import { run } from "../../src/program.ts";
import { FakeWorld, type FakeNodeControl } from "../fixtures/fake-world.ts";

/** Log lines are of no interest here and would go to the test's own output. */
const QUIET = ["--loglevel", "error"];

async function started(
  args: readonly string[],
  world = new FakeWorld(),
): Promise<{ world: FakeWorld; node: FakeNodeControl; code: Promise<number> }> {
  const code = run(["start", ...QUIET, ...args], world);
  const node = await Promise.race([
    world.node,
    code.then(() => Promise.reject(new Error(world.errors))),
  ]);
  return { world, node, code };
}

function fileWith(content: string): string {
  const directory = mkdtempSync(join(tmpdir(), "ferrite-start-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));
  const path = join(directory, "ferrite.conf");
  writeFileSync(path, content);
  return path;
}

describe("ferrite start: settings", () => {
  it("takes flags, variables and a file, and the strongest wins", async () => {
    const world = new FakeWorld();
    world.environment = { FERRITE_MAXCLIENTS: "20", FERRITE_TIMEOUT: "7" };
    const config = fileWith("maxclients 10\ntimeout 5\ntcp-keepalive 3\nport 7001\n");
    const { node, code } = await started(
      ["--config", config, "--maxclients=30", "--set", "port=7002"],
      world,
    );
    expect(node.config).toMatchObject({
      maxClients: 30,
      idleTimeoutSeconds: 7,
      tcpKeepaliveSeconds: 3,
      port: 7002,
    });
    world.fakeProcess.emit("SIGTERM");
    expect(await code).toBe(0);
  });

  it("finds its file by FERRITE_CONFIG", async () => {
    const world = new FakeWorld();
    world.environment = { FERRITE_CONFIG: fileWith("port 7001") };
    const { node, code } = await started([], world);
    expect(node.config.port).toBe(7001);
    node.end(null);
    expect(await code).toBe(0);
  });

  it("takes its file as redis-server does, as an argument", async () => {
    const { node, code } = await started([fileWith("port 7001"), "--maxclients", "30"]);
    expect(node.config).toMatchObject({ port: 7001, maxClients: 30 });
    node.end(null);
    expect(await code).toBe(0);
  });

  it("knows --dir as --data-dir too", async () => {
    const { node, code } = await started(["--data-dir", "elsewhere"]);
    expect(node.config.dataDir).toBe("/srv/elsewhere");
    node.end(null);
    await code;
  });

  it("has a flag for every setting, and the help shows the common ones with their defaults", async () => {
    const world = new FakeWorld();
    expect(await run(["start", "--help"], world)).toBe(0);
    expect(world.output).toContain("--port <number>");
    expect(world.output).toContain("Examples:");
    expect(world.output).not.toContain("--log-segment-bytes");
    for (const field of SETTING_FIELDS) {
      const { name, defaultText } = SETTINGS[field];
      const { node, code } = await started([`--${name}=${defaultText}`]);
      node.end(null);
      expect([name, await code]).toEqual([name, 0]);
    }
  });
});

describe("ferrite start: refusals are one clear message each, with status 1 and no stack", () => {
  it.each<[string, string[], RegExp]>([
    [
      "peers without certificates",
      ["--peers", "n2=h:1"],
      /^ferrite: --peers: peers: are set.*missing: peer-tls-cert-file.*ferrite certs init/,
    ],
    [
      "a bad value",
      ["--port", "x"],
      /^ferrite: --port: port: argument couldn't be parsed into an integer \(got "x"\)$/,
    ],
    [
      "an unknown setting",
      ["--set", "prt=1"],
      /^ferrite: --set prt: unknown setting "prt" \(did you mean "port"\?\)$/,
    ],
    ["a setting without a value", ["--set", "port"], /It must be name=value/],
    ["an unknown flag", ["--prot", "1"], /unknown option '--prot'[^]*Did you mean --port/],
    [
      "a file that is not there",
      ["--config", "/nowhere/f.conf"],
      /^ferrite: \/nowhere\/f.conf: configuration file: there is no such file$/,
    ],
    ["too many arguments", ["a.conf", "b.conf"], /too many arguments/],
    ["two files", ["a.conf", "--config", "b.conf"], /given twice: a\.conf and --config/],
    ["a word for a file", ["redis"], /^ferrite: redis: configuration file: there is no such file$/],
  ])("%s", async (_name, args, message) => {
    const world = new FakeWorld();
    expect(await run(["start", ...args], world)).toBe(1);
    expect(world.errors).toMatch(message);
    expect(world.errors).not.toContain("    at ");
  });

  it("several problems are told at once", async () => {
    const world = new FakeWorld();
    expect(await run(["start", "--port", "x", "--maxclients", "0"], world)).toBe(1);
    expect(world.complaints).toHaveLength(2);
  });

  it("a secret given by --set is not repeated", async () => {
    const world = new FakeWorld();
    expect(await run(["start", "--set", "requirpass=hush"], world)).toBe(1);
    expect(world.errors).not.toContain("hush");
  });

  it.each<[string, object, string]>([
    [
      "a port that is taken",
      { code: "EADDRINUSE", address: "127.0.0.1", port: 6379 },
      "127.0.0.1:6379 is already in use; stop what listens there or set another port",
    ],
    [
      "an HTTP port that is taken",
      { code: "EADDRINUSE", address: "127.0.0.1", port: 8080 },
      "127.0.0.1:8080 is already in use; stop what listens there or set another http-port",
    ],
    [
      "a TLS port that is taken",
      { code: "EADDRINUSE", address: "127.0.0.1", port: 6380 },
      "127.0.0.1:6380 is already in use; stop what listens there or set another tls-port",
    ],
    [
      "an address of another machine",
      { code: "EADDRNOTAVAIL", address: "192.0.2.1", port: 1 },
      "this machine has no address 192.0.2.1; check bind, tls-bind, peer-bind and http-bind",
    ],
    [
      "a port of the system",
      { code: "EACCES", address: "127.0.0.1", port: 80 },
      "this user may not listen on 127.0.0.1:80; set a port above 1023",
    ],
    [
      "a folder of someone else",
      { code: "EACCES", path: "/srv/x" },
      "this user may not use /srv/x",
    ],
    ["anything else", {}, "boom"],
  ])("%s", async (_name, fields, message) => {
    const world = new FakeWorld();
    world.startError = Object.assign(new Error("boom"), fields);
    const tls = ["--tls-port", "6380", "--tls-cert-file", "x.crt", "--tls-key-file", "x.key"];
    expect(await run(["start", ...QUIET, ...tls], world)).toBe(1);
    expect(world.errors).toBe(`ferrite: ${message}`);
  });
});

describe("ferrite start: the end", () => {
  it.each(["SIGTERM", "SIGINT", "SIGHUP"])(
    "%s stops the node, and the status is 0",
    async (signal) => {
      const { world, node, code } = await started([]);
      // SIGHUP is what a terminal says when it is closed.
      world.terminalGone = true;
      world.fakeProcess.emit(signal);
      expect(await code).toBe(0);
      expect(node.stops).toBe(1);
      expect(world.fakeProcess.listenerCount(signal)).toBe(0);
    },
  );

  it("(S33) SIGHUP has certificates read again, as often as it comes, and stops nothing", async () => {
    const { world, node, code } = await started([]);
    // The last of the listeners is set once the node serves.
    await new Promise((resolve) => setImmediate(resolve));
    world.fakeProcess.emit("SIGHUP");
    node.reloadWork = Promise.reject(new Error("the disk is slow"));
    world.fakeProcess.emit("SIGHUP");
    world.fakeProcess.emit("SIGHUP");
    expect(node).toMatchObject({ reloads: 3, stops: 0 });
    world.fakeProcess.emit("SIGTERM");
    expect(await code).toBe(0);
    expect(world.fakeProcess.listenerCount("SIGHUP")).toBe(0);
  });

  it("a second signal ends the process at once", async () => {
    const { world, node, code } = await started([]);
    const work = Promise.withResolvers<void>();
    node.stopWork = work.promise;
    world.fakeProcess.emit("SIGTERM");
    expect(() => world.fakeProcess.emit("SIGINT")).toThrow("would exit with 130");
    work.resolve();
    await code;
  });

  it("the echo of a signal is not a second wish", async () => {
    const { world, node, code } = await started([]);
    world.fakeProcess.emit("SIGTERM");
    world.fakeProcess.emit("SIGTERM");
    expect(await code).toBe(0);
    expect(node.stops).toBe(1);
  });

  it("a node that ends by itself is a failure", async () => {
    const { node, code } = await started(["--loglevel", "error"]);
    node.end(new Error("the disk is gone"));
    expect(await code).toBe(1);
  });

  it("on a terminal it says where it listens", async () => {
    const world = new FakeWorld();
    world.isTerminal = true;
    const { node, code } = await started(["--port", "7001"], world);
    node.end(null);
    await code;
    expect(world.output).toContain("Ferrite 9.8.7, node box");
    expect(world.output).toContain("redis-cli -p 7001");
    expect(world.output).toMatch(/tls +off/);
  });
});

describe("ferrite start under a parent", () => {
  it("reports itself, answers, ignores Ctrl-C, and stops when asked", async () => {
    const { world, node, code } = await started(["--supervised"]);
    const port = world.fakeProcess;
    if (port.listenerCount("message") === 0)
      await new Promise((resolve) => port.once("sent", resolve));
    expect(port.sent).toEqual([{ kind: "started" }]);
    port.emit("message", { kind: "askStatus" });
    expect(port.sent.at(-1)).toEqual({
      kind: "status",
      status: { nodeId: "id-1", role: "leader", term: 3, leaderId: "id-1", writeRefusal: null },
    });
    port.emit("message", "nonsense");
    port.emit("SIGINT");
    expect(node.stops).toBe(0);
    port.emit("message", { kind: "stop" });
    expect(await code).toBe(0);
    expect(port.disconnected).toBe(true);
  });

  it("stops when the parent is gone", async () => {
    const { world, node, code } = await started(["--supervised"]);
    world.fakeProcess.emit("disconnect");
    expect(await code).toBe(0);
    expect(node.stops).toBe(1);
  });

  it("tells its warnings to the parent", async () => {
    const { world, node, code } = await started([
      "--supervised",
      "--loglevel",
      "warn",
      "--log-format",
      "json",
      "--bind",
      "0.0.0.0",
      "--protected-mode",
      "no",
    ]);
    node.end(null);
    await code;
    expect(JSON.stringify(world.fakeProcess.sent)).toContain("without a password");
  });
});
