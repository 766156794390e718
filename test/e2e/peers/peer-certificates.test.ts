import { rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createAuthority,
  issueClientCertificate,
  issueNodeCertificate,
} from "../../../packages/cli/src/certs/index.ts";
import type { TlsFiles } from "../../../packages/node/src/config/tls-files.ts";
import { PeerRoom, freeAddresses } from "./peer-fixture.ts";
import type { TestNode } from "./peer-fixture.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const NAMES = ["node-1", "node-2"];

let room: PeerRoom;
beforeEach(() => {
  room = new PeerRoom();
});
afterEach(async () => {
  await room.close();
});

describe("a node does not start", () => {
  async function startWith(tls: TlsFiles | null): Promise<void> {
    const addresses = await freeAddresses(NAMES);
    await (await room.node("node-1", tls, addresses)).network.start();
  }

  it("with peers and no certificates", async () => {
    await expect(startWith(null)).rejects.toThrow(/needs certificates: set peer-tls-cert-file/);
  });

  it("with a file that is missing, and names it", async () => {
    const files = await room.nodeFiles("node-1");
    for (const [key, setting] of [
      ["certFile", "peer-tls-cert-file"],
      ["keyFile", "peer-tls-key-file"],
      ["caFile", "peer-tls-ca-cert-file"],
    ] as const) {
      const missing = { ...files, [key]: `${files[key]}.gone` };
      await expect(startWith(missing)).rejects.toThrow(
        `${setting} ${files[key]}.gone is not there`,
      );
    }
  });

  it("with a file that is no certificate, no key or no authority", async () => {
    const files = await room.nodeFiles("node-1");
    const text = `${room.directory}/text`;
    writeFileSync(text, "hello");
    await expect(startWith({ ...files, certFile: text })).rejects.toThrow(
      /text holds no certificate in PEM form/,
    );
    await expect(startWith({ ...files, keyFile: text })).rejects.toThrow(
      /text holds no private key/,
    );
    await expect(startWith({ ...files, caFile: text })).rejects.toThrow(
      /text holds no certificate/,
    );
  });

  it("with a key of another certificate", async () => {
    const files = await room.nodeFiles("node-1");
    const other = await room.nodeFiles("node-2");
    await expect(startWith({ ...files, keyFile: other.keyFile })).rejects.toThrow(
      /key does not belong to peer-tls-cert-file .*node-1/,
    );
  });

  it("with a certificate that ended or has not begun", async () => {
    const authority = await createAuthority({ days: 100, nowMs: Date.now() - 50 * DAY_MS });
    const old = await issueNodeCertificate(authority, {
      name: "node-1",
      days: 1,
      nowMs: Date.now() - 40 * DAY_MS,
    });
    await expect(startWith(await room.files("old", old, authority))).rejects.toThrow(
      /crt ended on/,
    );
    const early = await issueNodeCertificate(authority, {
      name: "node-1",
      days: 1,
      nowMs: Date.now() + 2 * DAY_MS,
    });
    await expect(startWith(await room.files("early", early, authority))).rejects.toThrow(
      /begins on .* is this machine's clock right/,
    );
  });

  it("with a certificate of a client", async () => {
    const pair = await issueClientCertificate(await room.authority(), { name: "node-1" });
    await expect(startWith(await room.files("client", pair))).rejects.toThrow(
      /does not allow serverAuth in its extended key usage/,
    );
  });

  it("with a certificate for another name", async () => {
    await expect(startWith(await room.nodeFiles("node-2"))).rejects.toThrow(
      /is not this node's, it covers: node-2, localhost.*"node-1"/,
    );
  });

  it("with a certificate of another authority than the one it trusts", async () => {
    const pair = await issueNodeCertificate(await createAuthority(), { name: "node-1" });
    await expect(startWith(await room.files("foreign", pair))).rejects.toThrow(
      /does not lead to an authority of peer-tls-ca-cert-file/,
    );
  });

  it("on a port that is taken, and names it", async () => {
    const addresses = await freeAddresses(NAMES);
    const first = await room.node("node-2", await room.nodeFiles("node-2"), addresses);
    await first.network.start();
    const same = { ...addresses, "node-1": addresses["node-2"], "node-2": "127.0.0.1:1" };
    const second = await room.node("node-1", await room.nodeFiles("node-1"), same);
    await expect(second.network.start()).rejects.toThrow(
      `The peer port ${addresses["node-2"]} is taken by another program`,
    );
  });
});

describe("S31, S38: the peer port", () => {
  let node: TestNode;
  let address: { host: string; port: number };
  beforeEach(async () => {
    const addresses = await freeAddresses(NAMES);
    node = await room.node("node-1", await room.nodeFiles("node-1"), addresses);
    await node.network.start();
    const [host, port] = addresses["node-1"].split(":") as [string, string];
    address = { host, port: Number(port) };
  });

  /** Everything a TLS client is told until the connection ends. */
  async function visit(
    files: TlsFiles | null,
    version: "TLSv1.2" | "TLSv1.3" = "TLSv1.3",
  ): Promise<string> {
    const credentials =
      files === null
        ? {}
        : { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) };
    return new Promise((resolve) => {
      let told = "";
      const socket = connectTls({
        ...address,
        ...credentials,
        minVersion: version,
        maxVersion: version,
        // The visitor does not care who it talks to; what matters is what the node does.
        rejectUnauthorized: false,
      });
      socket.on("error", (error: NodeJS.ErrnoException) => {
        told += `error ${error.code ?? ""} ${error.message}`;
      });
      socket.on("data", (chunk) => {
        told += chunk.toString("latin1");
      });
      socket.on("close", () => {
        resolve(told);
      });
    });
  }

  it("shows nothing to a visitor without a certificate", async () => {
    expect(await visit(null)).not.toContain("FERR");
    expect(await node.refused("missing")).toMatchObject({ side: "accepted", certificate: null });
    expect(node.network.counters.handshakesFailed).toBe(1);
  });

  it("closes on a client's certificate of the same authority", async () => {
    const pair = await issueClientCertificate(await room.authority(), { name: "node-2" });
    expect(await visit(await room.files("client", pair))).not.toContain("FERR");
    expect(await node.refused("wrongUse")).toMatchObject({ side: "accepted", peer: null });
  });

  it("closes on a certificate of another authority", async () => {
    const authority = await createAuthority();
    const pair = await issueNodeCertificate(authority, { name: "node-2" });
    expect(await visit(await room.files("foreign", pair))).not.toContain("FERR");
    const { certificate, remote } = await node.refused("untrusted");
    expect(remote).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(certificate?.fingerprint).toMatch(/^[0-9A-F]{64}$/);
  });

  it("closes on a certificate that ended", async () => {
    const pair = await issueNodeCertificate(await room.authority(), {
      name: "node-2",
      days: 1,
      nowMs: Date.now() - 5 * DAY_MS,
    });
    expect(await visit(await room.files("ended", pair))).not.toContain("FERR");
    await node.refused("expired");
    expect(node.network.counters.handshakesFailed).toBe(1);
    expect(node.network.refusals.expired).toBe(1);
  });

  it("closes on a certificate that has not begun", async () => {
    const pair = await issueNodeCertificate(await room.authority(), {
      name: "node-2",
      nowMs: Date.now() + 5 * DAY_MS,
    });
    expect(await visit(await room.files("early", pair))).not.toContain("FERR");
    await node.refused("notYetValid");
  });

  it("speaks TLS 1.3 and nothing older", async () => {
    expect(await visit(await room.nodeFiles("node-2"), "TLSv1.2")).toMatch(
      /error .*(PROTOCOL_VERSION|ECONNRESET)/i,
    );
    await node.refused("tlsVersion");
  });

  it("closes on plain text, whatever it is", async () => {
    for (const text of ["PING\r\n", "GET / HTTP/1.1\r\n\r\n", "*1\r\n$4\r\nPING\r\n"]) {
      const answer = await new Promise<string>((resolve) => {
        let told = "";
        const socket = connectTcp(address, () => socket.write(text));
        socket.on("data", (chunk) => (told += chunk.toString("latin1")));
        socket.on("error", () => undefined);
        socket.on("close", () => {
          resolve(told);
        });
      });
      expect(answer).not.toContain("FERR");
    }
    expect(node.network.counters.handshakesFailed).toBe(3);
    expect(node.network.refusals.notTls).toBe(3);
  });
});

describe("a node that is dialed", () => {
  it("must have a certificate for the name that was dialed", async () => {
    const addresses = await freeAddresses(["node-1", "node-2", "node-3"]);
    const dialer = await room.node("node-1", await room.nodeFiles("node-1"), addresses);
    // node-3 sits at node-2's address.
    const wrong = { "node-3": addresses["node-2"], "node-1": addresses["node-1"] };
    const other = await room.node("node-3", await room.nodeFiles("node-3"), wrong);
    await Promise.all([dialer.network.start(), other.network.start()]);
    await dialer.logged(/does not cover the name \\"node-2\\"/);
    expect(dialer.network.counters.linksOpened).toBe(0);
  });

  it("must have a certificate of the dialer's authority", async () => {
    const addresses = await freeAddresses(NAMES);
    const dialer = await room.node("node-1", await room.nodeFiles("node-1"), addresses);
    const authority = await createAuthority();
    const pair = await issueNodeCertificate(authority, { name: "node-2" });
    const foreign = await room.node(
      "node-2",
      await room.files("foreign", pair, authority),
      addresses,
    );
    await Promise.all([dialer.network.start(), foreign.network.start()]);
    expect(await dialer.refused("untrusted")).toMatchObject({ side: "dialed", peer: "node-2" });
    await dialer.logged(/A peer can not be reached/);
    expect(dialer.network.counters.linksOpened + dialer.network.counters.linksAccepted).toBe(0);
  });

  it("is found when its certificates are removed after the start", async () => {
    const addresses = await freeAddresses(NAMES);
    const files = await room.nodeFiles("node-1");
    const first = await room.node("node-1", files, addresses);
    const second = await room.node("node-2", await room.nodeFiles("node-2"), addresses);
    await first.network.start();
    for (const path of [files.certFile, files.keyFile, files.caFile ?? ""]) {
      rmSync(path);
    }
    await second.network.start();
    const [one, two] = await Promise.all([first.network.form(), second.network.form()]);
    expect(one).toEqual(two);
  });
});
