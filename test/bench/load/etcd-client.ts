import { connect, type ClientHttp2Session } from "node:http2";

import { BenchError } from "../errors.ts";
import { decodeFields, encodeByteFields } from "./protobuf.ts";

/** A gRPC message has a byte for compression and four for its length in front. */
const GRPC_HEADER_BYTES = 5;
const CONNECT_TIMEOUT_MS = 5000;

/**
 * etcd's own protocol (gRPC over HTTP/2) with nothing around it. Its JSON gateway would be slower
 * by far and the comparison unfair.
 */
export class EtcdClient {
  readonly #session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
  }

  /** Throws BenchError if nothing answers on 127.0.0.1 at this port. */
  static connect(port: number): Promise<EtcdClient> {
    return new Promise((resolve, reject) => {
      const session = connect(`http://127.0.0.1:${port}`);
      const fail = (reason: string): void => {
        session.destroy();
        reject(new BenchError(`etcd on port ${port}: ${reason}`));
      };
      const timer = setTimeout(() => fail("no connection"), CONNECT_TIMEOUT_MS);
      session.once("connect", () => {
        clearTimeout(timer);
        resolve(new EtcdClient(session));
      });
      session.on("error", (error) => {
        clearTimeout(timer);
        fail(error.message);
      });
    });
  }

  async put(key: string, value: string): Promise<void> {
    const message = encodeByteFields([Buffer.from(key), Buffer.from(value)]);
    await this.#call("/etcdserverpb.KV/Put", message);
  }

  /** Who answers and who leads. */
  async status(): Promise<{ memberId: bigint; leaderId: bigint }> {
    const reply = await this.#call("/etcdserverpb.Maintenance/Status", Buffer.alloc(0));
    const fields = decodeFields(reply.subarray(GRPC_HEADER_BYTES));
    const header = fields.get(1);
    const leaderId = fields.get(4);
    if (!(header instanceof Uint8Array) || typeof leaderId !== "bigint") {
      throw new BenchError("etcd's status does not name a leader");
    }
    const memberId = decodeFields(header).get(2);
    return { memberId: typeof memberId === "bigint" ? memberId : 0n, leaderId };
  }

  close(): void {
    this.#session.destroy();
  }

  #call(path: string, message: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const stream = this.#session.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        te: "trailers",
      });
      const chunks: Buffer[] = [];
      let status = "missing";
      let reason = "";
      const readStatus = (headers: NodeJS.Dict<string | string[]>): void => {
        status = String(headers["grpc-status"] ?? status);
        reason = String(headers["grpc-message"] ?? reason);
      };
      stream.on("response", readStatus);
      stream.on("trailers", readStatus);
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", (error) => reject(new BenchError(`etcd ${path}: ${error.message}`)));
      stream.on("end", () => {
        if (status === "0") resolve(Buffer.concat(chunks));
        else reject(new BenchError(`etcd ${path}: status ${status} ${reason}`));
      });
      const header = Buffer.alloc(GRPC_HEADER_BYTES);
      header.writeUInt32BE(message.length, 1);
      stream.end(Buffer.concat([header, message]));
    });
  }
}
