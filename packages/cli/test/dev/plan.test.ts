import {
  existsSync,
  mkdtempSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseConfig, type NodeConfig } from "@ferrite/node/config";
import {
  LOG_FILE_BYTES_MAX,
  clientCertificateFlags,
  prepareDataDirectory,
} from "../../src/dev/data-directory.ts";
import { requireFreePorts } from "../../src/dev/free-ports.ts";
import { lastLogLines, shortLogLine } from "../../src/dev/log-lines.ts";
import { configText, planCluster, type DevOptions } from "../../src/dev/plan.ts";

function options(changes: Partial<DevOptions> = {}): DevOptions {
  return {
    nodes: 3,
    basePort: 6379,
    dataDirectory: "/srv/.ferrite",
    tls: true,
    settings: [],
    ...changes,
  };
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "ferrite-dev-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function read(content: string): NodeConfig {
  const host = { hostname: "box", workingDirectory: "/", isTerminal: false };
  return parseConfig({ file: { path: "f", content } }, host).config;
}

describe("the plan of a development cluster", () => {
  it("has the documented ports", () => {
    const ports = planCluster(options()).map(({ name, port, tlsPort, peerPort, httpPort }) => [
      name,
      port,
      tlsPort,
      peerPort,
      httpPort,
    ]);
    expect(ports).toEqual([
      ["node1", 6379, 6380, 16379, 8080],
      ["node2", 6479, 6480, 16479, 8180],
      ["node3", 6579, 6580, 16579, 8280],
    ]);
  });

  it("shifts every port by the same amount, and no two are equal", () => {
    const plain = planCluster(options({ nodes: 5 }));
    const shifted = planCluster(options({ nodes: 5, basePort: 7379 }));
    expect(
      shifted.map((node) => [node.port - 1000, node.peerPort - 1000, node.httpPort - 1000]),
    ).toEqual(plain.map((node) => [node.port, node.peerPort, node.httpPort]));
    const all = plain.flatMap((node) => [node.port, node.tlsPort, node.peerPort, node.httpPort]);
    expect(new Set(all).size).toBe(all.length);
  });

  it("ends where ports end", () => {
    expect(planCluster(options({ basePort: 55_335 })).at(-1)?.peerPort).toBe(65_535);
    expect(() => planCluster(options({ basePort: 55_336 }))).toThrow(
      "--base-port must be from 1 to 55335 for 3 nodes",
    );
  });

  it("writes configuration files that a node reads back, whatever is in them", () => {
    const plan = planCluster(options({ dataDirectory: '/srv/a "b"\\c/d' }));
    const certificates = { certFile: "/c/my cert", keyFile: "/c/k", caFile: "/c/ca" };
    const password = `x "y" \\ \u0001 #é '`;
    const settings = [{ name: "requirepass", value: password, flag: "--set requirepass" }];
    const config = read(configText(plan[1], { nodes: plan, certificates, settings }));
    expect(config).toMatchObject({
      nodeName: "node2",
      dataDir: '/srv/a "b"\\c/d/node2',
      port: 6479,
      peerPort: 16479,
      httpPort: 8180,
      requirepass: password,
      tlsPort: 6480,
      tlsCertFile: certificates.certFile,
      tlsCaCertFile: certificates.caFile,
      tlsAuthClients: "optional",
      peerTlsCertFile: certificates.certFile,
      peerTlsKeyFile: certificates.keyFile,
      peerTlsCaCertFile: certificates.caFile,
      peers: [
        { name: "node1", address: "127.0.0.1:16379" },
        { name: "node3", address: "127.0.0.1:16579" },
      ],
    });
  });

  it("a cluster of one has no peers, and certificates for clients only", () => {
    const plan = planCluster(options({ nodes: 1 }));
    const certificates = { certFile: "/c/c", keyFile: "/c/k", caFile: "/c/ca" };
    const config = read(configText(plan[0], { nodes: plan, certificates, settings: [] }));
    expect(config).toMatchObject({ peers: [], peerTlsCertFile: null, tlsPort: 6380 });
  });

  it("without TLS there is no port for it, and nodes still speak nothing else to each other", () => {
    const plan = planCluster(options({ tls: false }));
    const certificates = { certFile: "/c/c", keyFile: "/c/k", caFile: "/c/ca" };
    const config = read(configText(plan[0], { nodes: plan, certificates, settings: [] }));
    expect(config).toMatchObject({ tlsPort: null, tlsCertFile: null, peerTlsCertFile: "/c/c" });
  });
});

describe("the data directory", () => {
  it("gets certificates and private configuration files, and keeps the certificates", async () => {
    const dataDirectory = join(temporaryDirectory(), "deep", "data");
    const asked = options({ dataDirectory });
    const plan = planCluster(asked);
    await prepareDataDirectory(asked, plan);
    const config = read(readFileSync(plan[0].configFile, "utf8"));
    const certificate = readFileSync(config.peerTlsCertFile!, "utf8");
    expect(certificate).toContain("BEGIN CERTIFICATE");
    expect(statSync(plan[0].configFile).mode & 0o777).toBe(0o600);
    await prepareDataDirectory(asked, plan);
    expect(readFileSync(config.peerTlsCertFile!, "utf8")).toBe(certificate);
    const client = clientCertificateFlags(dataDirectory).map(([, file]) =>
      readFileSync(file, "utf8"),
    );
    expect(client).toHaveLength(3);
    expect(client[2]).toContain("PRIVATE KEY");
  });

  it("that holds a cluster of another size is refused with what to do", async () => {
    const dataDirectory = temporaryDirectory();
    for (const name of ["node1", "node2", "node3"]) mkdirSync(join(dataDirectory, name));
    const asked = options({ dataDirectory, nodes: 5 });
    await expect(prepareDataDirectory(asked, planCluster(asked))).rejects.toThrow(
      `${dataDirectory} holds a cluster of 3 nodes. Start it with --nodes 3, or give the new one another --data-dir.`,
    );
  });

  it("sets a log aside when it has grown beyond the limit", async () => {
    const dataDirectory = temporaryDirectory();
    const asked = options({ dataDirectory, nodes: 1 });
    const [node] = planCluster(asked);
    writeFileSync(node.logFile, Buffer.alloc(LOG_FILE_BYTES_MAX));
    await prepareDataDirectory(asked, [node]);
    expect(statSync(node.logFile).size).toBe(LOG_FILE_BYTES_MAX);
    writeFileSync(node.logFile, Buffer.alloc(LOG_FILE_BYTES_MAX + 1));
    await prepareDataDirectory(asked, [node]);
    expect(statSync(`${node.logFile}.1`).size).toBe(LOG_FILE_BYTES_MAX + 1);
    expect(existsSync(node.logFile)).toBe(false);
  });
});

describe("ports", () => {
  it("that are taken are named, with whose they are and what to do", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const [node] = planCluster(options({ nodes: 1, basePort: 20_000 }));
    const taken = { ...node, port, tlsPort: port, httpPort: port };
    await expect(requireFreePorts([taken])).rejects.toThrow(
      `Ports ${port} (clients of node1), ${port} (HTTP of node1), ${port} (TLS of node1) are already in use. Stop what listens there, or shift`,
    );
    await expect(requireFreePorts([{ ...node, port }])).rejects.toMatchObject({
      code: "portTaken",
    });
  });

  it("of peers do not matter to a cluster of one", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const [node] = planCluster(options({ nodes: 1, basePort: 20_000 }));
    const plan = { ...node, port: 0, tlsPort: 0, httpPort: 0, peerPort: port };
    await expect(requireFreePorts([plan])).resolves.toBeUndefined();
    await expect(requireFreePorts([plan, plan])).rejects.toThrow(`${port} (peers of node1)`);
  });
});

describe("log lines on the screen", () => {
  it.each<[string, string]>([
    ['{"level":"warn","time":"t","node":"n","msg":"slow disk"}', "warn slow disk"],
    [
      '{"level":"warn","msg":"link lost","peer":"node2","attempt":3,"more":{"a":1}}',
      "warn link lost (peer=node2 attempt=3)",
    ],
    ['{"level":"error","err":{"message":"EIO"},"msg":"write failed"}', "error write failed: EIO"],
    ["FATAL ERROR: heap out of memory\n", "FATAL ERROR: heap out of memory"],
    ["null", "null"],
    ['{"a":1}', '{"a":1}'],
    ["\u001b[2Jgone", " [2Jgone"],
    ["x".repeat(1000), `${"x".repeat(300)}...`],
  ])("%j becomes %j", (line, shown) => {
    expect(shortLogLine(line)).toBe(shown);
  });

  it("the last lines of a log are its last lines, also of a long one", async () => {
    const path = join(temporaryDirectory(), "log");
    writeFileSync(path, Array.from({ length: 5000 }, (_, at) => `line ${at}\n`).join(""));
    expect(await lastLogLines(path, 2)).toEqual(["line 4998", "line 4999"]);
    expect((await lastLogLines(`${path}.no`, 2))[0]).toContain("can not be read");
  });
});
