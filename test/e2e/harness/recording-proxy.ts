/** Stands before a port and keeps every byte that passes, in both directions. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export class RecordingProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  readonly #recorded: Buffer[] = [];

  /** `targetPort` need not be listened on yet. */
  static async before(targetPort: number): Promise<RecordingProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new RecordingProxy(server, targetPort);
  }

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (inbound) => {
      const outbound = connect({ host: "127.0.0.1", port: targetPort, noDelay: true });
      inbound.setNoDelay(true);
      this.#pass(inbound, outbound);
      this.#pass(outbound, inbound);
    });
  }

  /** All that has passed, connection after connection as it came. */
  get recorded(): Buffer {
    return Buffer.concat(this.#recorded);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on("data", (bytes: Buffer) => {
      this.#recorded.push(bytes);
      to.write(bytes);
    });
    // Either side's end is the other's; why a connection broke is seen by the nodes.
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
