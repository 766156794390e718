/** A peer that says whatever a test wants, over a proper TLS link: for everything a proper node would not say. */
import { readFileSync } from "node:fs";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import type { TlsFiles } from "../../../packages/node/src/config/tls-files.ts";
import { FrameKind } from "../../../packages/node/src/peers/frame.ts";
import { FrameDecoder } from "../../../packages/node/src/peers/frame-decoder.ts";
import { FrameReader } from "../../../packages/node/src/peers/frame-reader.ts";
import { FrameWriter } from "../../../packages/node/src/peers/frame-writer.ts";
import { clusterTokenHash } from "../../../packages/node/src/peers/genesis.ts";
import { readHello, writeHello } from "../../../packages/node/src/peers/hello.ts";
import type { Hello } from "../../../packages/node/src/peers/hello.ts";
import { readRefusal, writeRefusal } from "../../../packages/node/src/peers/refusal.ts";
import type { Refusal } from "../../../packages/node/src/peers/refusal.ts";
import { payloadBodyBytes, writePayload } from "../../../packages/node/src/peers/payload-codec.ts";
import type { PeerPayload } from "../../../packages/node/src/replica/transport.ts";

export class RawPeer {
  readonly socket: TLSSocket;
  readonly hellos: Hello[] = [];
  readonly refusals: Refusal[] = [];
  readonly closed: Promise<void>;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    const reader = new FrameReader();
    const decoder = new FrameDecoder(1 << 20, {
      onFrame: (header, buffer, start, end) => {
        reader.open(buffer, start, end);
        if (header.kind === FrameKind.Hello) {
          this.hellos.push(readHello(reader));
        } else if (header.kind === FrameKind.Refusal) {
          this.refusals.push(readRefusal(reader));
        }
      },
    });
    socket.on("data", (chunk: Buffer) => {
      decoder.push(chunk);
    });
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        resolve();
      });
    });
  }

  static async connect(
    address: string,
    files: Pick<TlsFiles, "certFile" | "keyFile" | "caFile">,
    servername: string,
    session?: Buffer,
  ): Promise<RawPeer> {
    const [host, port] = address.split(":") as [string, string];
    const socket = connect({
      host,
      port: Number(port),
      servername,
      ...(session === undefined ? {} : { session }),
      cert: readFileSync(files.certFile),
      key: readFileSync(files.keyFile),
      ca: readFileSync(files.caFile ?? ""),
    });
    await new Promise((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
    });
    return new RawPeer(socket);
  }

  sayHello(hello: Hello): void {
    const writer = new FrameWriter();
    writeHello(writer, hello, 1);
    this.write(...writer.take());
  }

  refuse(refusal: Refusal): void {
    const writer = new FrameWriter();
    writeRefusal(writer, refusal, 1);
    this.write(...writer.take());
  }

  send(payload: PeerPayload): void {
    const writer = new FrameWriter();
    writePayload(writer, payload, 1, payloadBodyBytes(payload));
    this.write(...writer.take());
  }

  write(...parts: Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }
}

/** A hello of an unformed node under the fixture's token. */
export function helloOf(name: string, id: string, changes: Partial<Hello> = {}): Hello {
  return {
    groupId: 0,
    nodeId: id,
    name,
    tokenHash: clusterTokenHash("token"),
    peerAddress: "127.0.0.1:1",
    clientAddress: "127.0.0.1:2",
    expected: ["node-1", "node-2"],
    promise: null,
    genesis: null,
    active: false,
    certificate: null,
    successor: false,
    featureLevel: 1,
    version: "1.2.3",
    tlsAddress: null,
    lendsSnapshots: true,
    members: null,
    ...changes,
  };
}
