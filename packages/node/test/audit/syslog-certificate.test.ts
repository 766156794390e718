import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { Chain, type SealedRecord } from "../../src/audit/chain.ts";
import { KeyNames } from "../../src/audit/key-names.ts";
import { NO_HASH } from "../../src/audit/record.ts";
import { FILES_LOOK_INTERVAL_MS, SyslogSink } from "../../src/audit/sinks/syslog-sink.ts";
import { makeAuthority, makeNode, type Made } from "../certificates/certificate-maker.ts";
import {
  CLUSTER_ID,
  ManualAuditClock,
  NODE_ID,
  note,
  temporaryDirectory,
  until,
} from "./trail-world.ts";

const TIMEOUT_MS = 2000;

function sealed(count: number): SealedRecord[] {
  const chain = new Chain({
    identity: { nodeId: NODE_ID, nodeName: "node-a", clusterId: CLUSTER_ID },
    key: null,
    clock: new ManualAuditClock(),
    keyNames: new KeyNames("hash", null, CLUSTER_ID),
    start: { sequence: 0, hash: NO_HASH, chain: "00112233aabbccdd" },
  });
  return Array.from({ length: count }, (_, at) => chain.seal(note(String(at))));
}

describe("A connection to a syslog server", () => {
  it("shows the server a certificate, and a new one when its files were renewed (S33)", async () => {
    const directory = temporaryDirectory();
    const authority = makeAuthority("Syslog authority");
    const server = makeNode("localhost", authority);
    const write = (name: string, text: string): string => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    };
    const show = (made: Made): void => {
      write("client.crt", made.pem);
      write("client.key", made.keyPem);
    };
    let messages = 0;
    const shown: bigint[] = [];
    const listener = createTlsServer(
      { key: server.keyPem, cert: server.pem, ca: authority.pem, requestCert: true },
      (socket) => {
        shown.push(BigInt(`0x${socket.getPeerX509Certificate()?.serialNumber ?? "0"}`));
        socket.on("data", (bytes: Buffer) => {
          messages += bytes.toString("utf8").split("ferrite@32473").length - 1;
        });
        socket.on("end", () => socket.end());
        socket.on("error", () => undefined);
      },
    );
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    onTestFinished(() => void listener.close());
    const { port } = listener.address() as AddressInfo;
    const [first, second] = [makeNode("n1", authority), makeNode("n1", authority)];
    show(first);
    let nowMs = 0;
    const sink = new SyslogSink({
      url: `tls://localhost:${port}`,
      caCertFile: write("ca.crt", authority.pem),
      certFile: join(directory, "client.crt"),
      keyFile: join(directory, "client.key"),
      processId: 1,
      timeoutMs: TIMEOUT_MS,
      monotonicNowMs: () => nowMs,
    });
    const later = async (): Promise<void> => {
      nowMs += FILES_LOOK_INTERVAL_MS;
      await sink.deliver(sealed(1));
    };
    await sink.deliver(sealed(1));
    await later();
    await until(() => messages === 2);
    expect(shown).toEqual([first.serial]);

    // Half a rotation leaves the connection that there is.
    write("client.crt", second.pem);
    await later();
    await until(() => messages === 3);
    expect(shown).toEqual([first.serial]);
    show(second);
    await later();
    await until(() => shown.length === 2);
    expect(shown).toEqual([first.serial, second.serial]);
    await until(() => messages === 4);
    await sink.close();
  });
});
